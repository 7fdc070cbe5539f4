//! What needs no engine: the version, and a plan of ten thousand seats.

use std::process::Stdio;

use crate::Result;
use crate::arguments::Arguments;
use crate::record::{Measure, Measured, Record};
use crate::setting::Setting;
use crate::support::command::run;
use crate::support::named::Named;
use crate::timing::{Timing, timed};

/// How often the version is asked for.
const VERSIONS: u32 = 50;
/// How many seats the plan has.
const MANY: u32 = 10_000;
/// How often it is made.
const PLANS: u32 = 5;

/// Measures both, of every build.
pub async fn run_all(arguments: &Arguments, setting: &Setting, record: &mut Record) -> Result {
    for named in &arguments.seatboxes {
        for round in 1..=VERSIONS {
            let mut command = setting.plain(&named.path);
            command.arg("--version");
            let (timing, _) = timed(run(&mut command)).await?;
            record.add_quietly(measured(Measure::Version, named, 0, round, timing, None))?;
        }
        for round in 1..=PLANS {
            plan(setting, named, round, record).await?;
        }
    }
    Ok(())
}

async fn plan(setting: &Setting, named: &Named, round: u32, record: &mut Record) -> Result {
    // GNU time tells the memory; the clock is ours, since its own counts in hundredths.
    let usage = setting.path("usage");
    let mut command = setting.offline_plan(&named.path, MANY, &usage);
    let out = setting.path("plan.txt");
    command
        .stdin(Stdio::null())
        .stdout(std::fs::File::create(&out)?);
    let (timing, status) = timed(async { Ok(command.status().await?) }).await?;
    if !status.success() {
        return Err(format!("planning ended with {status}").into());
    }
    let seats = format!("to {MANY} seats");
    if !std::fs::read_to_string(&out)?.contains(&seats) {
        return Err(format!("the plan says nothing of changes {seats}").into());
    }
    let peak = std::fs::read_to_string(&usage)?.trim().parse::<u64>()?;
    record.add(measured(
        Measure::Plan,
        named,
        MANY,
        round,
        timing,
        Some(peak),
    ))
}

fn measured(
    measure: Measure,
    named: &Named,
    seats: u32,
    round: u32,
    timing: Timing,
    peak_kib: Option<u64>,
) -> Measured {
    Measured {
        measure,
        side: named.name.clone(),
        width: None,
        seats,
        round,
        seconds: timing.seconds,
        cpu_seconds: timing.cpu_seconds,
        calls: None,
        peak_kib,
    }
}
