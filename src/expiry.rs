//! When an environment ends, whose clock says so, and how far its end may be moved. Nothing here
//! asks for the time: whoever decides is told it.
//!
//! The clock that counts is the engine's, the one that all machines share; this machine's is asked
//! too, for a wrong clock must not take an event away in the middle
//! (docs/decisions/0010-deadlines.md).

use std::collections::HashMap;
use std::fmt;
use std::sync::Arc;

use jiff::{SignedDuration, Timestamp, Unit};

use crate::model::EnvironmentName;

/// How far from now an environment may end: a seat that is forgotten should not outlive a course
/// of a quarter.
pub const LONGEST: SignedDuration = SignedDuration::from_hours(90 * 24);

/// From when on it is worth a word that two clocks differ. Machines that keep their time by NTP
/// are well within a second of each other.
pub const NOTABLE_DIFFERENCE: SignedDuration = SignedDuration::from_mins(2);

/// Clocks that differ by more than this are not both right, and nothing is swept by them.
pub const MOST_DIFFERENCE: SignedDuration = SignedDuration::from_hours(1);

/// What a resource's label says of when it may be swept away.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Expires {
    /// At this moment, and from then on.
    At(Timestamp),
    /// Something that is no moment; the label's value.
    Unreadable(Arc<str>),
}

impl Expires {
    /// Reads a label's value: RFC 3339, with any offset.
    pub fn read(label: &str) -> Self {
        match label.trim().parse() {
            Ok(moment) => Self::At(moment),
            Err(_) => Self::Unreadable(label.into()),
        }
    }

    /// The moment, where it says one.
    pub fn moment(&self) -> Option<Timestamp> {
        match self {
            Self::At(moment) => Some(*moment),
            Self::Unreadable(_) => None,
        }
    }
}

impl From<Timestamp> for Expires {
    fn from(moment: Timestamp) -> Self {
        Self::At(moment)
    }
}

/// As it stands in a label: RFC 3339, UTC.
impl fmt::Display for Expires {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::At(moment) => moment.fmt(f),
            Self::Unreadable(text) => f.write_str(text),
        }
    }
}

/// When an environment ends, by all the labels of what is its own.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct End {
    /// The latest moment that a label says. Half a seat is of no use to anybody, so the part that
    /// lasts longest keeps the others.
    pub latest: Option<Timestamp>,
    /// A label that can't be read. It may say a later moment, in words that only a newer version
    /// knows.
    pub unreadable: Option<Arc<str>>,
}

impl End {
    /// The end that these labels have in common.
    pub fn of<'a>(labels: impl IntoIterator<Item = &'a Expires>) -> Self {
        let mut end = Self::default();
        for label in labels {
            end.add(label);
        }
        end
    }

    fn add(&mut self, label: &Expires) {
        match label {
            Expires::At(moment) => self.latest = self.latest.max(Some(*moment)),
            Expires::Unreadable(text) => self.unreadable = Some(Arc::clone(text)),
        }
    }
}

/// When each environment ends.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Ends(HashMap<EnvironmentName, End>);

impl Ends {
    /// The ends of the environments that these labels are of.
    pub fn of<'a>(
        labels: impl IntoIterator<Item = (&'a EnvironmentName, Option<&'a Expires>)>,
    ) -> Self {
        let mut ends = Self::default();
        for (environment, label) in labels {
            // Cloning a name for each of many thousand things is what would be felt.
            if !ends.0.contains_key(environment) {
                ends.0.insert(environment.clone(), End::default());
            }
            if let (Some(end), Some(label)) = (ends.0.get_mut(environment), label) {
                end.add(label);
            }
        }
        ends
    }

    /// Whether anything is known of that one.
    pub fn know(&self, environment: &EnvironmentName) -> bool {
        self.0.contains_key(environment)
    }

    /// When that one ends.
    pub fn get(&self, environment: &EnvironmentName) -> &End {
        const UNSAID: &End = &End {
            latest: None,
            unreadable: None,
        };
        self.0.get(environment).unwrap_or(UNSAID)
    }
}

/// One moment, as two clocks tell it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Clocks {
    /// The clock of the engine's machine, which all who use the engine share.
    pub engine: Timestamp,
    /// The clock of the machine that this runs on.
    pub here: Timestamp,
}

impl Clocks {
    /// Two clocks that agree.
    pub fn agreeing(now: Timestamp) -> Self {
        Self {
            engine: now,
            here: now,
        }
    }

    /// How far they are apart, whichever is ahead.
    pub fn difference(self) -> SignedDuration {
        self.here.duration_since(self.engine).abs()
    }

    /// Whether they are so far apart that nothing may be swept by them.
    pub fn are_too_far_apart(self) -> bool {
        self.difference() > MOST_DIFFERENCE
    }

    /// What a person should know of their difference, where it is worth a word.
    pub fn notice(self) -> Option<String> {
        (self.difference() >= NOTABLE_DIFFERENCE)
            .then(|| format!("{self}; seats expire by the engine's clock"))
    }
}

/// `this machine's clock is 3h ahead of the engine's (here …, the engine …)`
impl fmt::Display for Clocks {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // To the nearest second: it is known no better than the answer takes.
        let seconds = self.difference().round(Unit::Second);
        let seconds = seconds.unwrap_or_else(|_| self.difference());
        let side = if self.here >= self.engine {
            "ahead of"
        } else {
            "behind"
        };
        write!(
            f,
            "this machine's clock is {seconds:#} {side} the engine's (here {}, the engine {})",
            seconds_of(self.here),
            seconds_of(self.engine)
        )
    }
}

/// A moment to the second: more is noise for a person.
pub fn seconds_of(moment: Timestamp) -> String {
    moment.strftime("%Y-%m-%dT%H:%M:%SZ").to_string()
}

/// What two clocks make of an environment's end.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Judgement {
    /// It is over, by both clocks.
    Over(Timestamp),
    /// It is not over, by both clocks.
    Running(Timestamp),
    /// One clock says that it is over and the other does not.
    Disputed(Timestamp),
    /// A label can't be read, so nobody knows; its value.
    Unreadable(Arc<str>),
    /// No label says when.
    Unsaid,
}

/// Whether what ends at `end` is over. The moment itself is the first at which it is. Only what
/// both clocks call over is: between two clocks the one that takes nothing away is believed.
pub fn judge(end: &End, clocks: Clocks) -> Judgement {
    if let Some(text) = &end.unreadable {
        return Judgement::Unreadable(Arc::clone(text));
    }
    let Some(latest) = end.latest else {
        return Judgement::Unsaid;
    };
    match (latest <= clocks.engine, latest <= clocks.here) {
        (true, true) => Judgement::Over(latest),
        (false, false) => Judgement::Running(latest),
        _ => Judgement::Disputed(latest),
    }
}

/// How an end is to be moved.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Move {
    /// By so long, counted from the present end, or from now where that is over.
    By(SignedDuration),
    /// To this moment.
    Until(Timestamp),
}

/// Why an end can't be moved like that.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum MoveError {
    /// A span that leads nowhere, or back.
    #[error("the span must be longer than nothing")]
    Nothing,
    /// To before the present end.
    #[error(
        "{} is earlier than the present end, {}: extending never shortens",
        seconds_of(*.wanted),
        seconds_of(*.present)
    )]
    Earlier {
        /// Where it should go.
        wanted: Timestamp,
        /// Where it is.
        present: Timestamp,
    },
    /// To a moment that is over.
    #[error(
        "{} is over already: by the engine's clock it is {}",
        seconds_of(*.wanted),
        seconds_of(*.now)
    )]
    Past {
        /// Where it should go.
        wanted: Timestamp,
        /// The engine's time.
        now: Timestamp,
    },
    /// Further than seats may live.
    #[error(
        "the seats would live too long: at most 90 days from now, which is until {}",
        seconds_of(*.latest)
    )]
    TooFar {
        /// How far it may go.
        latest: Timestamp,
    },
}

/// Where an end that is `present` goes, at `now` by the engine's clock: never back, and never
/// beyond [`LONGEST`]. In whole seconds, rounded up, since it stands in labels.
///
/// # Errors
/// See [`MoveError`].
pub fn moved(
    present: Option<Timestamp>,
    change: Move,
    now: Timestamp,
) -> Result<Timestamp, MoveError> {
    let latest = now.saturating_add(LONGEST).unwrap_or(Timestamp::MAX);
    let too_far = MoveError::TooFar { latest };
    let wanted = match change {
        Move::By(span) if !span.is_positive() => return Err(MoveError::Nothing),
        Move::By(span) => present
            .map_or(now, |present| present.max(now))
            .checked_add(span)
            .map_err(|_| too_far.clone())?,
        Move::Until(moment) => moment,
    };
    let wanted = whole_seconds(wanted);
    if let Some(present) = present.filter(|present| wanted < *present) {
        return Err(MoveError::Earlier { wanted, present });
    }
    if wanted <= now {
        return Err(MoveError::Past { wanted, now });
    }
    // What ends there already is not moved, however far it is.
    if wanted > latest && Some(wanted) != present {
        return Err(too_far);
    }
    Ok(wanted)
}

/// The first whole second that is not before `moment`.
fn whole_seconds(moment: Timestamp) -> Timestamp {
    let second = moment.as_second();
    let floor = Timestamp::from_second(second).unwrap_or(moment);
    if floor < moment {
        Timestamp::from_second(second + 1).unwrap_or(moment)
    } else {
        floor
    }
}

#[cfg(test)]
#[path = "expiry_tests.rs"]
mod tests;
