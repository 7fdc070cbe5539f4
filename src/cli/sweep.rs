//! `seatbox sweep`.

use super::args::Global;
use super::down::take_away;
use super::error::{Error, Result};
use super::interruption::Interruption;
use super::place::{AnyProvider, Place, with_provider};
use crate::engine::retry::with_retries;
use crate::expiry::{Clocks, End, Judgement, judge};
use crate::model::EnvironmentName;
use crate::model::seat::Owner;
use crate::plan::Cause;
use crate::provider::Operate;
use crate::removal::{About, Scope, Verdict};

/// Takes away what is past its time, or with `all` whatever is ours. All of it is judged by the
/// moment at which the sweep began, and by the labels of each look: what expires meanwhile is the
/// next sweep's, and what is extended meanwhile stays.
pub async fn run(
    global: &Global,
    place: &Place,
    all: bool,
    only: Option<EnvironmentName>,
    dry_run: bool,
    interruption: &Interruption,
) -> Result {
    with_provider!(AnyProvider, place.bare(), provider => {
        sweep(global, &provider, all, only, dry_run, interruption).await
    })
}

async fn sweep<P: Operate>(
    global: &Global,
    provider: &P,
    all: bool,
    only: Option<EnvironmentName>,
    dry_run: bool,
    interruption: &Interruption,
) -> Result {
    let clocks = with_retries(async || provider.clocks().await, |_, _| {}).await?;
    if clocks.are_too_far_apart() && !all {
        return Err(Error::Clocks(clocks));
    }
    let judge = |of: &EnvironmentName, _: Owner, end: &End| {
        if only.as_ref().is_some_and(|only| of != only) {
            return Verdict::Ignore;
        }
        verdict(end, all, clocks)
    };
    let about = About {
        scope: if all {
            Scope::Everything
        } else {
            Scope::Expired
        },
        environments: only.iter().cloned().collect(),
    };
    take_away(global, provider, about, judge, dry_run, interruption).await
}

/// What becomes of a part of an environment that ends at `end`.
pub fn verdict(end: &End, all: bool, clocks: Clocks) -> Verdict {
    match judge(end, clocks) {
        Judgement::Over(moment) => Verdict::Take(Cause::Expired(moment.to_string().into())),
        _ if all => Verdict::Take(Cause::Down),
        Judgement::Running(moment) => Verdict::Keep(format!("expires {moment}")),
        Judgement::Disputed(moment) => Verdict::Keep(format!("expires {moment}; {clocks}")),
        Judgement::Unreadable(text) => Verdict::Keep(format!(
            "when it expires can't be read: `{text}` is no moment; `seatbox sweep --all --only` or \
             `seatbox down` takes it away"
        )),
        Judgement::Unsaid => Verdict::Keep("its labels do not say when it expires".to_owned()),
    }
}
