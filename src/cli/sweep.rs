//! `seatbox sweep`.

use std::collections::HashMap;

use jiff::Timestamp;

use super::args::Global;
use super::context;
use super::down::{bare_provider, take_away};
use super::error::Result;
use crate::model::EnvironmentName;
use crate::plan::{Cause, Scheme};
use crate::provider::{Existing, Provider};
use crate::removal::{About, Scope, Verdict};

/// Takes away what is past its time, or with `all` whatever is ours.
pub async fn run(
    global: &Global,
    all: bool,
    only: Option<EnvironmentName>,
    dry_run: bool,
) -> Result {
    let provider = bare_provider().await?;
    let now = Timestamp::now();
    let ends = ends(&provider).await?;
    let judge = |existing: &Existing<_>| {
        let end = ends.get(&existing.environment).copied();
        judge(existing, end, only.as_ref(), all, now)
    };
    let about = About {
        scope: if all {
            Scope::Everything
        } else {
            Scope::Expired
        },
        environments: only.iter().cloned().collect(),
    };
    take_away(global, &provider, about, judge, dry_run).await
}

/// When each environment ends: with the last of what it has. A part that was made later than the
/// others keeps them, since half a seat is of no use to anybody.
async fn ends<P: Provider>(provider: &P) -> Result<HashMap<EnvironmentName, Timestamp>> {
    let observed = context::look(provider).await?;
    let mut ends: HashMap<EnvironmentName, Timestamp> = HashMap::new();
    for existing in provider.existing(&observed) {
        if let Some(expires) = existing.expires {
            let end = ends.entry(existing.environment).or_insert(expires);
            *end = expires.max(*end);
        }
    }
    Ok(ends)
}

fn judge<S: Scheme>(
    existing: &Existing<S>,
    end: Option<Timestamp>,
    only: Option<&EnvironmentName>,
    all: bool,
    now: Timestamp,
) -> Verdict {
    if only.is_some_and(|only| existing.environment != *only) {
        return Verdict::Ignore;
    }
    match end {
        Some(expires) if expires <= now => {
            Verdict::Take(Cause::Expired(expires.to_string().into()))
        }
        _ if all => Verdict::Take(Cause::Down),
        Some(expires) => Verdict::Keep(format!("expires {expires}")),
        None => Verdict::Keep("its labels do not say when it expires".to_owned()),
    }
}
