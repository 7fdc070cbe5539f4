//! What is looked at before anything is created, and what came of it.

use std::fmt;

/// What a look came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// All is well.
    Passed,
    /// What is planned can't be done.
    Failed,
    /// It could not be found out, which keeps nobody from trying.
    Unknown,
}

/// A quota, in whole units.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct QuotaView {
    /// The service that has it.
    pub service: String,
    /// Its code.
    pub code: String,
    /// Its name.
    pub name: String,
    /// What it counts.
    pub unit: String,
    /// How much the account may have.
    pub value: u64,
    /// How much of that is in use, without what the plan takes away.
    pub used: u64,
    /// How much the plan needs.
    pub need: u64,
}

impl QuotaView {
    /// The least quota that the plan fits in.
    pub fn enough(&self) -> u64 {
        self.used.saturating_add(self.need)
    }
}

/// One thing that was looked at.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Check {
    /// What it is about, in a word that stays the same.
    pub name: &'static str,
    /// What it came to.
    pub verdict: Verdict,
    /// What was found.
    pub message: String,
    /// What to do about it.
    pub hint: Option<String>,
    /// The quota that it is about.
    pub quota: Option<QuotaView>,
}

impl Check {
    /// One without a hint.
    pub fn new(name: &'static str, verdict: Verdict, message: impl Into<String>) -> Self {
        Self {
            name,
            verdict,
            message: message.into(),
            hint: None,
            quota: None,
        }
    }

    /// The same with a word on what to do.
    #[must_use]
    pub fn with_hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }
}

impl fmt::Display for Check {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.name, self.message)
    }
}

/// All that was looked at; nothing where nothing has to be.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Preflight {
    /// Each thing, in the order in which it is told.
    pub checks: Vec<Check>,
}

impl Preflight {
    /// What keeps the plan from being carried out.
    pub fn failures(&self) -> impl Iterator<Item = &Check> {
        let failed = |check: &&Check| check.verdict == Verdict::Failed;
        self.checks.iter().filter(failed)
    }

    /// What a person should know although it keeps nobody from anything.
    pub fn notices(&self) -> impl Iterator<Item = String> {
        let unknown = |check: &&Check| check.verdict == Verdict::Unknown;
        let unknown = self.checks.iter().filter(unknown);
        unknown.map(|check| format!("not checked: {check}"))
    }
}

/// One check a line, with what to do about those that failed.
impl fmt::Display for Preflight {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for check in &self.checks {
            let verdict = match check.verdict {
                Verdict::Passed => "ok",
                Verdict::Failed => "FAILED",
                Verdict::Unknown => "unknown",
            };
            writeln!(f, "preflight {verdict:<8} {check}")?;
            if let (Verdict::Failed, Some(hint)) = (check.verdict, &check.hint) {
                writeln!(f, "                   hint: {hint}")?;
            }
        }
        Ok(())
    }
}
