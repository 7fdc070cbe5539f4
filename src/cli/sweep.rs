//! `seatbox sweep`.

use jiff::Timestamp;

use super::args::Global;
use super::down::{bare_provider, take_away};
use super::error::Result;
use crate::model::EnvironmentName;
use crate::plan::{Cause, Scheme};
use crate::provider::Existing;
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
    let judge = |existing: &Existing<_>| judge(existing, only.as_ref(), all, now);
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

fn judge<S: Scheme>(
    existing: &Existing<S>,
    only: Option<&EnvironmentName>,
    all: bool,
    now: Timestamp,
) -> Verdict {
    if only.is_some_and(|only| existing.environment != *only) {
        return Verdict::Ignore;
    }
    match existing.expires {
        Some(expires) if expires <= now => {
            Verdict::Take(Cause::Expired(expires.to_string().into()))
        }
        _ if all => Verdict::Take(Cause::Down),
        Some(expires) => Verdict::Keep(format!("expires {expires}")),
        None => Verdict::Keep("its labels do not say when it expires".to_owned()),
    }
}
