//! The benchmark from beginning to end.

use std::fmt::Write as _;
use std::path::Path;
use std::time::{Duration, Instant};

use crate::Result;
use crate::account::Account;
use crate::arguments::{Arguments, Buckets, Part};
use crate::aws::counts::Counts;
use crate::place::Place;
use crate::record::{self, Measured, Record};
use crate::setting::Setting;
use crate::side::Side;
use crate::support::command::run as run_command;
use crate::support::interruption::unless_interrupted;
use crate::support::lines;
use crate::{machine, report, simulation};

/// Measures and shows, or only shows.
pub async fn run(arguments: &Arguments) -> Result {
    if !arguments.report.is_empty() {
        let results = record::read(&arguments.report)?;
        return report::show(&results, arguments.into.as_deref());
    }
    unless_interrupted(measure(arguments)).await
}

async fn measure(arguments: &Arguments) -> Result {
    let out = arguments
        .out
        .clone()
        .unwrap_or_else(|| lines::default_path("race-aws.jsonl"));
    let mut record = Record::create(&out, machine::describe(arguments).await?)?;
    let takes_part = |part| arguments.parts.contains(&part);
    if takes_part(Part::Simulation) {
        simulation::run(arguments, &mut record)?;
    }
    let account = Account::open();
    if takes_part(Part::Race) {
        for round in 1..=arguments.rounds {
            race(arguments, &account, round, &mut record).await?;
        }
    }
    if takes_part(Part::Memory) {
        for place in [Place::Ec2, Place::Ecs] {
            if arguments.places.contains(&place) {
                let heat = Heat {
                    place,
                    seats: arguments.memory_seats,
                    buckets: true,
                };
                heat.run(arguments, &account, Side::Seatbox, 1, &mut record)
                    .await?;
            }
        }
    }
    eprintln!("raw numbers: {}", record.path().display());
    report::show(&record.results, arguments.into.as_deref())
}

/// Every side in turn, heat by heat. Each round begins with another side.
async fn race(arguments: &Arguments, account: &Account, round: u32, record: &mut Record) -> Result {
    let mut sides = arguments.sides.clone();
    let first = round as usize % sides.len().max(1);
    sides.rotate_left(first);
    for &place in &arguments.places {
        for &seats in &arguments.seats {
            for &buckets in &arguments.buckets {
                let buckets = buckets == Buckets::With;
                if place.takes_minutes(seats, buckets) && !arguments.all {
                    continue;
                }
                let heat = Heat {
                    place,
                    seats,
                    buckets,
                };
                for &side in &sides {
                    if side.races(place, seats, buckets, arguments.all) {
                        heat.run(arguments, account, side, round, record).await?;
                    }
                }
            }
        }
    }
    Ok(())
}

/// What all sides do in turn.
#[derive(Debug, Clone, Copy)]
struct Heat {
    place: Place,
    seats: u32,
    buckets: bool,
}

impl Heat {
    /// Lets one side bring its seats up, makes sure that they are there, and takes them away.
    async fn run(
        self,
        arguments: &Arguments,
        account: &Account,
        side: Side,
        round: u32,
        record: &mut Record,
    ) -> Result {
        let Self {
            place,
            seats,
            buckets,
        } = self;
        let proxy = account.proxy(Duration::from_millis(arguments.latency), buckets);
        let setting = Setting::new(place, seats)?;
        let seatbox = arguments.seatbox();
        let words = side.command(place, seats, &seatbox.path, &arguments.python);
        let mut command = setting.command(&words, &proxy.url())?;
        let began = Instant::now();
        run_command(&mut command).await?;
        let seconds = began.elapsed().as_secs_f64();
        let counts = proxy.counts();
        if let Some(directory) = &arguments.trace {
            let name = format!(
                "{}-{seats}-{}-{}.txt",
                place.slug(),
                if buckets { "buckets" } else { "free" },
                side.slug()
            );
            trace(counts, began, &directory.join(name))?;
        }
        let total = counts.total();
        let actions = counts.by_action().into_iter();
        record.measured(Measured {
            place,
            side,
            seats,
            buckets,
            latency_ms: arguments.latency,
            round,
            seconds,
            peak_kib: setting.peak_kib()?,
            calls: total.total(),
            throttled: total.throttled,
            actions: actions.map(|(name, tally)| (name, tally.total())).collect(),
        })?;
        drop(proxy);
        account.verify(place, side, seats as usize)?;
        account.clear()
    }
}

/// Writes when which call came.
fn trace(counts: &Counts, began: Instant, path: &Path) -> Result {
    if let Some(directory) = path.parent() {
        std::fs::create_dir_all(directory)?;
    }
    let mut text = String::new();
    for one in counts.records() {
        let moment = one.arrived.duration_since(began).as_secs_f64();
        let outcome = one
            .outcome
            .map_or_else(String::new, |outcome| format!("{outcome:?}"));
        writeln!(text, "{moment:8.3} {} {outcome}", one.call.action)?;
    }
    Ok(std::fs::write(path, text)?)
}
