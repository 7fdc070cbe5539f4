//! One seat, alone on the engine, made anew by each side in turn.

use std::sync::Arc;

use bollard::Docker;
use seatbox::model::{Environment, SeatNumber};

use crate::Result;
use crate::arguments::{Arguments, Family};
use crate::compose::Compose;
use crate::record::{Measure, Measured, Record};
use crate::seatbox::Seatbox;
use crate::setting::Setting;
use crate::settle::Settling;
use crate::timing::{Timing, timed};
use crate::verify;

/// The one seat.
const SEAT: u32 = 1;

/// The resets.
pub struct Resets<'a> {
    /// What was asked for.
    pub arguments: &'a Arguments,
    /// What the sides have in common.
    pub setting: &'a Arc<Setting>,
    /// The engine.
    pub docker: &'a Docker,
    /// Compose, with its projects.
    pub compose: Option<&'a Compose>,
}

impl Resets<'_> {
    /// Runs all of them.
    pub async fn run(&self, record: &mut Record, settling: &mut Settling) -> Result {
        if let Some(compose) = self.compose {
            compose.check_every(&self.arguments.reset_interval)?;
        }
        settling.settle().await;
        for round in 1..=self.arguments.resets {
            if self.arguments.sides.contains(&Family::Seatbox) {
                for named in &self.arguments.seatboxes {
                    let seatbox = Seatbox::new(self.setting, named.path.clone());
                    seatbox.up(Some("1"), None).await?;
                    let (timing, ()) = timed(seatbox.reset(SEAT)).await?;
                    record.add(measured(&named.name, round, timing))?;
                    self.verify(&*seatbox.environment()?).await?;
                    seatbox.down().await?;
                }
            }
            if let Some(compose) = self.compose {
                compose.up_one(SEAT).await?;
                let reset = async {
                    compose.down_one(SEAT, &[]).await?;
                    compose.up_one(SEAT).await
                };
                let (timing, ()) = timed(reset).await?;
                record.add(measured("compose", round, timing))?;
                self.verify(&compose.environment()).await?;
                compose.down_one(SEAT, &["--timeout", "0"]).await?;
            }
        }
        Ok(())
    }

    async fn verify(&self, environment: &Environment) -> Result {
        let key = self.setting.key(environment)?;
        let seats = SeatNumber::new(SEAT).into_iter();
        verify::ready(self.docker, environment, &key, None, seats, false).await
    }
}

fn measured(side: &str, round: u32, timing: Timing) -> Measured {
    Measured {
        measure: Measure::Reset,
        side: side.to_owned(),
        width: None,
        seats: 1,
        round,
        seconds: timing.seconds,
        cpu_seconds: timing.cpu_seconds,
        calls: None,
        peak_kib: None,
    }
}
