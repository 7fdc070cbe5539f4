//! The benchmark from beginning to end, however it ends.

use std::sync::Arc;
use std::time::Duration;

use bollard::Docker;

use crate::arguments::{Arguments, Family, Part};
use crate::compose::Compose;
use crate::record::{self, Record};
use crate::resets::Resets;
use crate::rounds::Rounds;
use crate::seatbox::Seatbox;
use crate::setting::Setting;
use crate::settle::Settling;
use crate::support::interruption::unless_interrupted;
use crate::support::lines;
use crate::{Result, engine, machine, report, single};

/// Measures and shows, or only shows.
pub async fn run(arguments: &Arguments) -> Result {
    if !arguments.report.is_empty() {
        let (machine, measured) = record::read(&arguments.report)?;
        return report::show(&machine, &measured, arguments.into.as_deref());
    }
    let docker = engine::connect().await?.docker;
    // What an earlier run left that was killed.
    engine::sweep(&docker).await?;
    let result = unless_interrupted(measure(arguments, &docker)).await;
    // Programs that were under way are killed; what their last calls still make goes too.
    let swept = engine::sweep(&docker).await;
    result.and(swept)
}

async fn measure(arguments: &Arguments, docker: &Docker) -> Result {
    let machine = machine::describe(arguments, docker).await?;
    let out = arguments
        .out
        .clone()
        .unwrap_or_else(|| lines::default_path("race.jsonl"));
    let mut record = Record::create(&out, &machine)?;
    let setting = Arc::new(Setting::new(arguments)?);
    let mut settling = Settling::new(docker, Duration::from_secs(arguments.settle)).await?;
    let takes_part = |part| arguments.parts.contains(&part);
    if takes_part(Part::Single) {
        eprintln!("without an engine");
        single::run_all(arguments, &setting, &mut record).await?;
    }
    let on_engine = takes_part(Part::Resets) || takes_part(Part::Rounds);
    let first = arguments.seatboxes.first().ok_or("no seatbox to run")?;
    if on_engine {
        eprintln!("images");
        let seatbox = Seatbox::new(&setting, first.path.clone());
        seatbox.fetch_images().await?;
        // The snapshot of the database's first start is made once in an environment's life, like its
        // images, so it is no part of what is timed.
        seatbox.up(Some("1-3"), None).await?;
        seatbox.down().await?;
    }
    let compose = if on_engine && arguments.sides.contains(&Family::Compose) {
        Some(Compose::new(&setting, &arguments.compose, &first.path).await?)
    } else {
        None
    };
    if takes_part(Part::Resets) {
        eprintln!("a single seat");
        let resets = Resets {
            arguments,
            setting: &setting,
            docker,
            compose: compose.as_ref(),
        };
        resets.run(&mut record, &mut settling).await?;
    }
    if takes_part(Part::Rounds) {
        eprintln!("{} seats", arguments.seats);
        let rounds = Rounds {
            arguments,
            setting: &setting,
            docker,
            compose: compose.as_ref(),
        };
        rounds.run(&mut record, &mut settling).await?;
    }
    eprintln!("raw numbers: {}", record.path().display());
    report::show(&machine, &record.measured, arguments.into.as_deref())
}
