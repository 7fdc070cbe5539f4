//! `seatbox sweep`.

use std::sync::Arc;

use super::args::{Global, Output, SweepArgs};
use super::down::{certify, removed, take_away};
use super::error::{Error, Result};
use super::interruption::Interruption;
use super::place::{AnyProvider, Place, with_provider};
use super::print::line;
use super::{context, show};
use crate::engine::retry::with_retries;
use crate::engine::{Failure, FailureClass};
use crate::exit::Exit;
use crate::expiry::{Clocks, End, Judgement, judge};
use crate::model::EnvironmentName;
use crate::model::seat::Owner;
use crate::plan::Cause;
use crate::provider::{Operate, Provider as _};
use crate::removal::{About, Certificate, Scope, Survey, Verdict, together};
use crate::report::json::v1::PlanReport;

/// Takes away what is past its time, or with `--all` whatever is ours. All of it is judged by the
/// moment at which the sweep of its region began, and by the labels of each look: what expires
/// meanwhile is the next sweep's, and what is extended meanwhile stays.
pub async fn run(global: &Global, what: &SweepArgs, interruption: &Interruption) -> Result {
    what.places.check()?;
    match what.places.distinct_regions().as_slice() {
        [] => alone(global, what, None, interruption).await,
        [region] => alone(global, what, Some(region), interruption).await,
        regions if what.dry_run => foresee(global, what, regions, interruption).await,
        regions => each(global, what, regions, interruption).await,
    }
}

/// One engine, or one region.
async fn alone(
    global: &Global,
    what: &SweepArgs,
    region: Option<&str>,
    interruption: &Interruption,
) -> Result {
    let place = Place::find(what.places.provider, region, interruption).await?;
    with_provider!(AnyProvider, place.bare(), provider => {
        let sweep = Sweep::begin(&provider, what).await?;
        take_away(global, &provider, sweep.about(), sweep.judge(), what.dry_run, interruption).await
    })
}

/// Region by region, with one certificate for all of them. One that does not answer keeps none of the
/// others.
async fn each(
    global: &Global,
    what: &SweepArgs,
    regions: &[&str],
    interruption: &Interruption,
) -> Result {
    let _attended = interruption.attend()?;
    let mut results: Vec<(Arc<str>, std::result::Result<Certificate, Failure>)> = Vec::new();
    for region in regions {
        let result = if interruption.cancel.is_cancelled() {
            Err(Error::Interrupted)
        } else {
            in_region(global, what, region, interruption).await
        };
        let result = result.map_err(|error| match error {
            Error::Call(failure) => failure,
            error => Failure::new(FailureClass::Invalid, "sweep", error.to_string()),
        });
        results.push(((*region).into(), result));
    }
    let first = results.iter().find_map(|(_, result)| result.clone().err());
    match (together(results), first) {
        (Some(certificate), _) => Ok(certify(global, &certificate, interruption)),
        (None, _) if interruption.cancel.is_cancelled() => Err(Error::Interrupted),
        (None, Some(failure)) => Err(Error::Call(failure)),
        (None, None) => Ok(Exit::Success),
    }
}

async fn in_region(
    global: &Global,
    what: &SweepArgs,
    region: &str,
    interruption: &Interruption,
) -> Result<Certificate> {
    let place = Place::find(what.places.provider, Some(region), interruption).await?;
    with_provider!(AnyProvider, place.bare(), provider => {
        let sweep = Sweep::begin(&provider, what).await?;
        removed(global, &provider, sweep.about(), sweep.judge(), interruption).await
    })
}

/// What would go in each of the regions, as far as they answer.
async fn foresee(
    global: &Global,
    what: &SweepArgs,
    regions: &[&str],
    interruption: &Interruption,
) -> Result {
    let mut exit = Exit::Success;
    let mut reports = Vec::new();
    for region in regions {
        let report = match foresee_in(global, what, region, interruption).await {
            Ok(report) => report,
            Err(Error::Call(failure)) => {
                exit = Exit::Partial;
                let notice = format!("{region} was not looked at: {failure}");
                match global.output {
                    Output::Text => line(format_args!("{notice}")),
                    Output::Json => reports.push(PlanReport::unseen(notice)),
                }
                continue;
            }
            Err(error) => return Err(error),
        };
        reports.extend(report);
    }
    if let Some(report) = reports.into_iter().reduce(PlanReport::and) {
        show::json(&report);
    }
    Ok(exit)
}

/// Prints what would go in a region, or gives it, where all of it is to be one document.
async fn foresee_in(
    global: &Global,
    what: &SweepArgs,
    region: &str,
    interruption: &Interruption,
) -> Result<Option<PlanReport>> {
    let place = Place::find(what.places.provider, Some(region), interruption).await?;
    with_provider!(AnyProvider, place.bare(), provider => {
        let sweep = Sweep::begin(&provider, what).await?;
        let observed = context::look(&provider).await?;
        let survey = Survey::of(provider.existing(&observed), &sweep.judge());
        Ok(match global.output {
            Output::Text => {
                show::teardown_plan_in(region, &survey.plan(), &survey.keep);
                None
            }
            Output::Json => {
                let report = PlanReport::new(None, &survey.plan(), &survey.keep);
                Some(report.in_region(region))
            }
        })
    })
}

/// What is judged by, once the clocks are known.
struct Sweep<'a> {
    what: &'a SweepArgs,
    clocks: Clocks,
}

impl<'a> Sweep<'a> {
    async fn begin<P: Operate>(provider: &P, what: &'a SweepArgs) -> Result<Self> {
        let clocks = with_retries(async || provider.clocks().await, |_, _| {}).await?;
        if clocks.are_too_far_apart() && !what.all {
            return Err(Error::Clocks(clocks));
        }
        Ok(Self { what, clocks })
    }

    fn about(&self) -> About {
        About {
            scope: if self.what.all {
                Scope::Everything
            } else {
                Scope::Expired
            },
            environments: self.what.only.iter().cloned().collect(),
        }
    }

    fn judge(&self) -> impl Fn(&EnvironmentName, Owner, &End) -> Verdict {
        |of, _, end| {
            let only = self.what.only.as_ref();
            if only.is_some_and(|only| of != only) {
                return Verdict::Ignore;
            }
            verdict(end, self.what.all, self.clocks)
        }
    }
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
