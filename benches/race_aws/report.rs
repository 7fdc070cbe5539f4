//! From raw numbers to tables: medians, ratios, and whether a target is met.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::path::Path;

use crate::Result;
use crate::place::Place;
use crate::record::{Measured, Results};
use crate::side::Side;
use crate::support::markdown;
use crate::support::numbers::{median, verdict};

/// How long Seatbox may take, as a part of a peer's time.
const TIME: f64 = 0.8;
/// How many calls it may make, as a part of the fewest of its peers.
const CALLS: f64 = 0.7;
/// How many of them may be throttled, in percent.
const THROTTLED: f64 = 2.0;
/// Its memory for [`MANY`] seats or more, in MB.
const MEMORY: f64 = 100.0;
const MANY: u32 = 1000;
/// How long a plan may be expected to take, as a multiple of what AWS's buckets allow.
const SIMULATED: f64 = 1.15;

/// Prints the tables, and puts them into a Markdown file where one is named.
pub fn show(results: &Results, into: Option<&Path>) -> Result {
    markdown::show(&render(results), "race-aws", into)
}

fn render(results: &Results) -> String {
    let machine = &results.machine;
    let runs = Runs::of(&results.measured);
    let mut out = String::new();
    let _ = writeln!(
        out,
        "{}, {}; {}; {}; {}. Arguments: `{}`.\n",
        machine.began,
        machine.processors,
        machine.emulator,
        machine.peers,
        machine.seatbox,
        machine.arguments
    );
    out.push_str("| target | seatbox | against | ratio | asked for | |\n");
    out.push_str("| --- | --- | --- | --- | --- | --- |\n");
    for row in targets(&runs, results) {
        let _ = writeln!(out, "{row}");
    }
    out.push_str(
        "\n| seats are | seats | buckets | side | times | time | calls | throttled | memory |\n",
    );
    out.push_str("| --- | --- | --- | --- | --- | --- | --- | --- | --- |\n");
    for row in runs.all() {
        let _ = writeln!(out, "{row}");
    }
    out
}

fn targets(runs: &Runs<'_>, results: &Results) -> Vec<String> {
    let mut rows = Vec::new();
    for heat in runs.heats() {
        rows.extend(runs.times(heat));
    }
    for heat in runs.heats() {
        rows.extend(runs.calls(heat));
    }
    let own = results.measured.iter();
    let own = own.filter(|run| run.side == Side::Seatbox && run.buckets);
    let share = |run: &Measured| 100.0 * run.throttled as f64 / run.calls.max(1) as f64;
    if let Some(most) = own.clone().map(share).max_by(f64::total_cmp) {
        rows.push(format!(
            "| throttled calls, the most of any run | {most:.1} % | | | ≤ {THROTTLED} % | {} |",
            verdict(most, THROTTLED)
        ));
    }
    let mut peaks: BTreeMap<(Place, u32), u64> = BTreeMap::new();
    for run in own.filter(|run| run.seats >= MANY) {
        let peak = peaks.entry((run.place, run.seats)).or_default();
        *peak = run.peak_kib.max(*peak);
    }
    for ((place, seats), kib) in peaks {
        let peak = megabytes(kib);
        rows.push(format!(
            "| memory, {}, {seats} seats | {peak:.0} MB | | | < {MEMORY} MB | {} |",
            place.words(),
            verdict(peak, MEMORY)
        ));
    }
    for plan in &results.simulated {
        let ratio = plan.expected / plan.at_best;
        rows.push(format!(
            "| simulated, {}, {} seats | {:.2} s | {:.2} s, what the buckets allow | {ratio:.2} | ≤ {SIMULATED} | {} |",
            plan.place.words(),
            plan.seats,
            plan.expected,
            plan.at_best,
            verdict(ratio, SIMULATED)
        ));
    }
    rows
}

fn megabytes(kib: u64) -> f64 {
    kib as f64 * 1024.0 / 1e6
}

/// What all sides did in turn.
type Heat = (Place, u32, bool);

/// The runs of each side.
struct Runs<'a>(BTreeMap<(Heat, Side), Vec<&'a Measured>>);

impl<'a> Runs<'a> {
    fn of(measured: &'a [Measured]) -> Self {
        let mut runs: BTreeMap<(Heat, Side), Vec<&Measured>> = BTreeMap::new();
        for run in measured {
            let heat = (run.place, run.seats, run.buckets);
            runs.entry((heat, run.side)).or_default().push(run);
        }
        Self(runs)
    }

    /// Those that Seatbox had with others.
    fn heats(&self) -> BTreeSet<Heat> {
        let peers = self.0.keys().filter(|(_, side)| *side != Side::Seatbox);
        peers.map(|(heat, _)| *heat).collect()
    }

    fn median(&self, heat: Heat, side: Side, of: impl Fn(&Measured) -> f64) -> Option<f64> {
        let runs = self.0.get(&(heat, side))?;
        Some(median(runs.iter().map(|run| of(run))))
    }

    /// The side with the least of something among those.
    fn least(
        &self,
        heat: Heat,
        among: impl Fn(Side) -> bool,
        of: impl Fn(&Measured) -> f64,
    ) -> Option<(Side, f64)> {
        let sides = Side::ALL.into_iter().filter(|side| among(*side));
        sides
            .filter_map(|side| Some((side, self.median(heat, side, &of)?)))
            .min_by(|(_, a), (_, b)| a.total_cmp(b))
    }

    /// How long Seatbox took: within buckets against what was asked for.
    fn times(&self, heat: Heat) -> Vec<String> {
        let (place, _, buckets) = heat;
        let seconds = |run: &Measured| run.seconds;
        let Some(own) = self.median(heat, Side::Seatbox, seconds) else {
            return Vec::new();
        };
        let against = match place {
            Place::Ec2 => [Side::Batch, Side::BareBatch]
                .into_iter()
                .filter_map(|side| Some((side, self.median(heat, side, seconds)?)))
                .collect(),
            Place::Ecs | Place::EcsSecrets => {
                let best = self.least(heat, Side::is_boto3, seconds);
                best.into_iter().collect::<Vec<_>>()
            }
        };
        let asked = if buckets { TIME } else { f64::NAN };
        let rows = against.into_iter().map(|(side, theirs)| {
            format!(
                "| time, {} | {own:.2} s | {theirs:.2} s, {} | {:.2} | {} | {} |",
                named(heat),
                side.words(),
                own / theirs,
                asked_for(asked),
                verdict(own / theirs, asked)
            )
        });
        rows.collect()
    }

    /// How many calls Seatbox made, against the fewest of all, and on EC2 against the fewest of those
    /// that give each seat a key pair, too. Without buckets no side makes other calls than with them.
    fn calls(&self, heat: Heat) -> Vec<String> {
        let (place, _, buckets) = heat;
        let calls = |run: &Measured| run.calls as f64;
        let own = self.median(heat, Side::Seatbox, calls);
        let (Some(own), true) = (own, buckets) else {
            return Vec::new();
        };
        let all = self.least(heat, |side| side != Side::Seatbox, calls);
        let with_keys = self.least(heat, Side::makes_key_pairs, calls);
        let with_keys = with_keys.filter(|_| place == Place::Ec2);
        let mut against: Vec<(Side, f64)> = with_keys.into_iter().chain(all).collect();
        against.dedup();
        let rows = against.into_iter().map(|(side, theirs)| {
            format!(
                "| calls, {} | {own} | {theirs}, {} | {:.2} | {} | {} |",
                named(heat),
                side.words(),
                own / theirs,
                asked_for(CALLS),
                verdict(own / theirs, CALLS)
            )
        });
        rows.collect()
    }

    fn all(&self) -> Vec<String> {
        let row = |((heat, side), runs): (&(Heat, Side), &Vec<&Measured>)| {
            let (place, seats, buckets) = heat;
            let of = |of: fn(&Measured) -> f64| median(runs.iter().map(|run| of(run)));
            format!(
                "| {} | {seats} | {} | {} | {} | {:.2} s | {} | {} | {:.0} MB |",
                place.words(),
                if *buckets { "with" } else { "without" },
                side.words(),
                runs.len(),
                of(|run| run.seconds),
                of(|run| run.calls as f64),
                of(|run| run.throttled as f64),
                of(|run| megabytes(run.peak_kib)),
            )
        };
        self.0.iter().map(row).collect()
    }
}

fn named((place, seats, buckets): Heat) -> String {
    let buckets = if buckets { "" } else { ", no buckets" };
    format!("{}, {seats} seats{buckets}", place.words())
}

fn asked_for(ratio: f64) -> String {
    match ratio.is_nan() {
        true => "–".to_owned(),
        false => format!("≤ {ratio}"),
    }
}
