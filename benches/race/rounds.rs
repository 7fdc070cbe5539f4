//! All the seats, up and down, by every side in turn.

use std::collections::BTreeSet;
use std::sync::Arc;

use bollard::Docker;

use crate::Result;
use crate::arguments::{Arguments, Family};
use crate::bare::Bare;
use crate::compose::Compose;
use crate::contestant::{Contestant, Side};
use crate::counter::Counter;
use crate::engine;
use crate::initialised::Initialised;
use crate::record::{Measure, Measured, Record};
use crate::seatbox::Seatbox;
use crate::setting::Setting;
use crate::settle::Settling;
use crate::support::numbers::median;
use crate::timing::{Clock, Timing, timed};
use crate::verify;

/// How long after the last start the engine's own checks must all have been made, in seconds.
const HEALTH_PATIENCE: u64 = 120;

/// The rounds.
pub struct Rounds<'a> {
    /// What was asked for.
    pub arguments: &'a Arguments,
    /// What the sides have in common.
    pub setting: &'a Arc<Setting>,
    /// The engine.
    pub docker: &'a Docker,
    /// Compose, with its projects.
    pub compose: Option<&'a Compose>,
}

impl Rounds<'_> {
    /// Runs all of them.
    pub async fn run(&self, record: &mut Record, settling: &mut Settling) -> Result {
        if let Some(compose) = self.compose {
            compose.check_every(&self.arguments.interval)?;
        }
        let contestants = self.contestants().await?;
        for round in 1..=self.arguments.rounds {
            let mut order: Vec<&Contestant> = contestants
                .iter()
                .filter(|c| round == 1 || self.arguments.all_widths || is_best(c, record))
                .collect();
            // Whoever comes first in one round comes later in the next.
            let turn = (round as usize - 1) % order.len().max(1);
            order.rotate_left(turn);
            for contestant in order {
                let last = round == self.arguments.rounds;
                self.turn(contestant, round, last, record, settling).await?;
            }
        }
        Ok(())
    }

    async fn contestants(&self) -> Result<Vec<Contestant>> {
        let takes_part = |family| self.arguments.sides.contains(&family);
        let mut contestants = Vec::new();
        if takes_part(Family::Seatbox) {
            for named in &self.arguments.seatboxes {
                contestants.push(Contestant {
                    name: named.name.clone(),
                    width: None,
                    side: Side::Seatbox(Seatbox::new(self.setting, named.path.clone())),
                });
            }
        }
        let mut add = |name: &str, side: &dyn Fn() -> Side| {
            for &width in &self.arguments.widths {
                contestants.push(Contestant {
                    name: name.to_owned(),
                    width: Some(width),
                    side: side(),
                });
            }
        };
        if let Some(compose) = self.compose {
            add("compose", &|| Side::Compose(compose.clone()));
        }
        if takes_part(Family::Bare) {
            let bare = Bare::new(self.setting, None).await?;
            add("bare", &|| Side::Bare(bare.clone(), false));
        }
        if takes_part(Family::BareInitialised) {
            let bare = Bare::new(self.setting, None).await?;
            let initialised = Initialised::make(self.docker, bare.database()?).await?;
            let bare = Bare::new(self.setting, Some(&initialised)).await?;
            add("bare-initialised", &|| Side::Bare(bare.clone(), true));
        }
        Ok(contestants)
    }

    async fn turn(
        &self,
        contestant: &Contestant,
        round: u32,
        last: bool,
        record: &mut Record,
        settling: &mut Settling,
    ) -> Result {
        settling.settle().await;
        let left = engine::left(self.docker, crate::setting::PREFIX).await?;
        if !left.is_empty() {
            return Err(format!("the engine is not empty: {left:?}").into());
        }
        let measured = |measure, timing: Timing, calls| Measured {
            measure,
            side: contestant.name.clone(),
            width: contestant.width,
            seats: self.setting.seats,
            round,
            seconds: timing.seconds,
            cpu_seconds: timing.cpu_seconds,
            calls,
            peak_kib: None,
        };
        let clock = Clock::start()?;
        let (timing, ()) = timed(contestant.up()).await?;
        record.add(measured(Measure::Up, timing, None))?;
        if let Side::Seatbox(seatbox) = &contestant.side {
            let (timing, ()) = timed(seatbox.up(None, None)).await?;
            record.add(measured(Measure::SecondUp, timing, None))?;
        }
        self.verify(contestant).await?;
        if !contestant.claims_ready() {
            record.add(measured(Measure::UpReady, clock.timing()?, None))?;
        }
        if last {
            self.with_all_up(contestant, round, record).await?;
        }
        settling.before_removal();
        let (timing, ()) = timed(contestant.down()).await?;
        record.add(measured(Measure::Down, timing, None))?;
        settling.after_removal();
        let prefix = format!("{}-", contestant.environment()?.name);
        let left = engine::left(self.docker, &prefix).await?;
        if !left.is_empty() {
            return Err(format!("{} left behind: {left:?}", contestant.name).into());
        }
        Ok(())
    }

    async fn verify(&self, contestant: &Contestant) -> Result {
        let environment = contestant.environment()?;
        let key = self.setting.key(&environment)?;
        verify::ready(
            self.docker,
            &environment,
            &key,
            contestant.common_password(),
            self.setting.numbers(),
            !contestant.claims_ready(),
        )
        .await
        .map_err(|error| format!("{}: {error}", contestant.name).into())
    }

    /// What is measured while all seats are up.
    async fn with_all_up(
        &self,
        contestant: &Contestant,
        round: u32,
        record: &mut Record,
    ) -> Result {
        let one = self.setting.seats.min(7);
        let measured = |measure, timing: Timing, seats, calls| Measured {
            measure,
            side: contestant.name.clone(),
            width: contestant.width,
            seats,
            round,
            seconds: timing.seconds,
            cpu_seconds: timing.cpu_seconds,
            calls,
            peak_kib: None,
        };
        match &contestant.side {
            Side::Seatbox(seatbox) => {
                self.until_health_is_known(contestant).await?;
                let counter = Counter::start(self.setting.path("counter.sock"))?;
                let counts = BTreeSet::from([1, 8, self.setting.seats]);
                for seats in counts.range(..=self.setting.seats).copied() {
                    let named = format!("1-{seats}");
                    let (timing, ()) = timed(seatbox.up(Some(&named), None)).await?;
                    seatbox.up(Some(&named), Some(&counter.host())).await?;
                    let calls = Some(counter.take());
                    record.add(measured(Measure::SettledUp, timing, seats, calls))?;
                }
                let (timing, ()) = timed(seatbox.reset(one)).await?;
                record.add(measured(
                    Measure::ResetOfMany,
                    timing,
                    self.setting.seats,
                    None,
                ))?;
            }
            Side::Compose(compose) => {
                compose.check_every(&self.arguments.reset_interval)?;
                let reset = async {
                    compose.down_one(one, &[]).await?;
                    compose.up_one(one).await
                };
                let (timing, ()) = timed(reset).await?;
                compose.check_every(&self.arguments.interval)?;
                record.add(measured(
                    Measure::ResetOfMany,
                    timing,
                    self.setting.seats,
                    None,
                ))?;
            }
            Side::Bare(..) => return Ok(()),
        }
        self.verify(contestant).await
    }

    /// Waits until the engine has made its first check of everything.
    async fn until_health_is_known(&self, contestant: &Contestant) -> Result {
        let prefix = format!("{}-", contestant.environment()?.name);
        for _ in 0..HEALTH_PATIENCE {
            let containers = engine::containers(self.docker, &prefix).await?;
            if containers
                .iter()
                .all(|container| container.status.ends_with("(healthy)"))
            {
                return Ok(());
            }
            tokio::time::sleep(std::time::Duration::from_secs(1)).await;
        }
        Err(format!("the engine finds {} not healthy", contestant.name).into())
    }
}

/// Whether a width is the best of its side so far, at coming up or at going.
fn is_best(contestant: &Contestant, record: &Record) -> bool {
    [Measure::Up, Measure::Down].iter().any(|measure| {
        let of = |width| {
            let seconds = record.measured.iter().filter(|measured| {
                measured.measure == *measure
                    && measured.side == contestant.name
                    && measured.width == width
            });
            median(seconds.map(|measured| measured.seconds))
        };
        let own = of(contestant.width);
        record
            .measured
            .iter()
            .filter(|measured| measured.side == contestant.name)
            .all(|other| of(other.width) >= own)
    })
}
