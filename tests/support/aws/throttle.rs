//! AWS's token buckets: a call that finds its bucket empty is throttled.

use std::collections::HashMap;
use std::time::Instant;

use super::answer::Refusal;
use super::call::Call;

/// How much a bucket holds, and how fast it fills again.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Bucket {
    pub burst: f64,
    pub refill_per_second: f64,
}

/// What a call takes from a bucket.
#[derive(Debug, Clone, PartialEq)]
pub struct Charge {
    /// Which one: those of equal names are one, within a region. All callers are of one account.
    pub name: String,
    pub bucket: Bucket,
    pub tokens: f64,
}

/// What each call takes, of one bucket or several; nothing where AWS sets no limit.
pub type Table = Box<dyn Fn(&Call) -> Vec<Charge> + Send>;

/// The limits, and how full the buckets are.
#[derive(Default)]
pub struct Throttle {
    table: Option<Table>,
    /// RunTask answers every second throttle as one of EC2's in the middle of another error, which it
    /// does when ECS finds EC2's buckets empty.
    pub wraps: bool,
    wrapped_last: bool,
    levels: HashMap<(String, String), (f64, Instant)>,
}

impl std::fmt::Debug for Throttle {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let mut shown = formatter.debug_struct("Throttle");
        shown
            .field("on", &self.table.is_some())
            .field("levels", &self.levels)
            .finish()
    }
}

/// A bucket for each action, by service and action, and one for what a call makes or ends: the
/// instances of `RunInstances` and `TerminateInstances`, the tasks of `RunTask`.
pub fn by_action(
    calls: impl Fn(&str, &str) -> Option<Bucket> + Send + 'static,
    resources: impl Fn(&str) -> Option<Bucket> + Send + 'static,
) -> Table {
    Box::new(move |call| {
        let of_calls = calls(&call.service, &call.action).map(|bucket| Charge {
            name: format!("{}:{}", call.service, call.action),
            bucket,
            tokens: 1.0,
        });
        let of_resources = resources(&call.action).map(|bucket| Charge {
            name: format!("{}:{} resources", call.service, call.action),
            bucket,
            tokens: units(call) as f64,
        });
        of_calls.into_iter().chain(of_resources).collect()
    })
}

/// How many instances or tasks a call is about.
pub fn units(call: &Call) -> u64 {
    match &*call.action {
        "RunInstances" => call.number("MaxCount").unwrap_or(1),
        "RunTask" => call.number("count").unwrap_or(1),
        _ => call.list("InstanceId").len() as u64,
    }
}

impl Throttle {
    /// Full buckets, of these sizes.
    pub fn by(table: Table) -> Self {
        Self {
            table: Some(table),
            ..Self::default()
        }
    }

    /// Takes what a call takes, or refuses it if that is not there.
    pub(super) fn charge(&mut self, call: &Call) -> Result<(), Refusal> {
        let Some(table) = &self.table else {
            return Ok(());
        };
        let now = Instant::now();
        let charges = table(call);
        let key = |charge: &Charge| (call.region.clone(), charge.name.clone());
        for charge in &charges {
            let Bucket {
                burst,
                refill_per_second,
            } = charge.bucket;
            let (level, at) = self.levels.entry(key(charge)).or_insert((burst, now));
            let refilled = now.duration_since(*at).as_secs_f64() * refill_per_second;
            (*level, *at) = ((*level + refilled).min(burst), now);
        }
        if charges
            .iter()
            .any(|charge| self.levels[&key(charge)].0 < charge.tokens)
        {
            return Err(self.refusal(call));
        }
        for charge in &charges {
            if let Some((level, _)) = self.levels.get_mut(&key(charge)) {
                *level -= charge.tokens;
            }
        }
        Ok(())
    }

    fn refusal(&mut self, call: &Call) -> Refusal {
        self.wrapped_last = self.wraps && !self.wrapped_last && call.is("ecs", "RunTask");
        if self.wrapped_last {
            wrapped(call)
        } else {
            refusal(call)
        }
    }
}

/// What a service says when there are too many calls.
pub fn refusal(call: &Call) -> Refusal {
    match &*call.service {
        "ec2" => Refusal::with_status(503, "RequestLimitExceeded", "Request limit exceeded."),
        "iam" | "sts" => Refusal::new("Throttling", "Rate exceeded"),
        "tagging" => Refusal::new("ThrottledException", "Rate exceeded"),
        "servicequotas" => Refusal::new("TooManyRequestsException", "Too Many Requests"),
        _ => Refusal::new("ThrottlingException", "Rate exceeded"),
    }
}

/// What ECS says when it is EC2 that throttles it.
fn wrapped(call: &Call) -> Refusal {
    let groups = &call.json()["networkConfiguration"]["awsvpcConfiguration"]["securityGroups"];
    let group = groups[0].as_str().unwrap_or("sg-00000000000000000");
    Refusal::new(
        "InvalidParameterException",
        format!(
            "Error retrieving security group information for [{group}]: Request limit exceeded. \
             (ErrorCode: RequestLimitExceeded)"
        ),
    )
}
