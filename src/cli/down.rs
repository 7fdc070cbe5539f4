//! `seatbox down`.

use jiff::Timestamp;

use super::args::{EnvironmentArgs, Global, SeatsArgs};
use super::context;
use super::error::{Error, Result};
use super::interruption::Interruption;
use super::place::{AnyProvider, Place, with_provider};
use super::progress::Shown;
use super::show;
use crate::exit::Exit;
use crate::expiry::End;
use crate::model::seat::Owner;
use crate::model::{EnvironmentName, SeatNumber};
use crate::plan::Cause;
use crate::provider::Provider;
use crate::removal::{About, Certificate, Scope, Survey, Verdict, remove};

/// Takes an environment's seats away.
pub async fn run(
    global: &Global,
    arguments: &EnvironmentArgs,
    seats: &SeatsArgs,
    dry_run: bool,
    interruption: &Interruption,
) -> Result {
    let environment = context::load(arguments, interruption)?.environment;
    // Seats beyond the count may be named: a lowered count is how they came to be there.
    let selection = seats.seats.clone().unwrap_or_default();
    let everything = selection.is_all();
    let name = &environment.name;
    let judge = |of: &EnvironmentName, owner: Owner, _: &End| {
        if of != name {
            return Verdict::Ignore;
        }
        match owner.seat() {
            Some(seat) if selection.contains(seat) => Verdict::Take(Cause::Down),
            None if everything => Verdict::Take(Cause::Down),
            Some(_) => Verdict::Keep("its seat is not among those named".to_owned()),
            None => Verdict::Keep("other seats share it".to_owned()),
        }
    };
    let scope = if everything {
        Scope::Environments
    } else {
        let last = selection.highest_named().map_or(0, SeatNumber::get);
        let all = 1..=last.max(environment.seats.total());
        let seats = all.filter_map(SeatNumber::new);
        Scope::Seats(seats.filter(|seat| selection.contains(*seat)).collect())
    };
    let about = About {
        scope,
        environments: vec![environment.name.clone()],
    };
    let exit = with_provider!(AnyProvider, Place::of(&environment, interruption).await?.bare(), provider => {
        take_away(global, &provider, about, judge, dry_run, interruption).await
    })?;
    if exit == Exit::Success && everything && !dry_run {
        context::forget_hosts(&environment);
    }
    Ok(exit)
}

/// Deletes what `judge` says, or prints what that would be, and shows the certificate.
pub async fn take_away<P: Provider>(
    global: &Global,
    provider: &P,
    about: About,
    judge: impl Fn(&EnvironmentName, Owner, &End) -> Verdict,
    dry_run: bool,
    interruption: &Interruption,
) -> Result {
    if dry_run {
        let observed = context::look(provider).await?;
        let survey = Survey::of(provider.existing(&observed), &judge);
        show::teardown_plan(global.output, &survey.plan(), &survey.keep);
        return Ok(Exit::Success);
    }
    let _attended = interruption.attend()?;
    let certificate = removed(global, provider, about, judge, interruption).await?;
    Ok(certify(global, &certificate, interruption))
}

/// Deletes what `judge` says, and shows how that goes on. Signals are the caller's.
pub async fn removed<P: Provider>(
    global: &Global,
    provider: &P,
    about: About,
    judge: impl Fn(&EnvironmentName, Owner, &End) -> Verdict,
    interruption: &Interruption,
) -> Result<Certificate> {
    let cancel = &interruption.cancel;
    let shown = Shown::start(global);
    let result = remove(
        provider,
        about,
        judge,
        Timestamp::now,
        &shown.events,
        cancel,
    )
    .await;
    shown.finish().await;
    result.map_err(Error::Call)
}

/// Shows a certificate, and says how the command ends.
pub fn certify(global: &Global, certificate: &Certificate, interruption: &Interruption) -> Exit {
    show::certified(global.output, certificate);
    if certificate.is_clean() {
        Exit::Success
    } else if interruption.cancel.is_cancelled() {
        Exit::Interrupted
    } else {
        Exit::Partial
    }
}
