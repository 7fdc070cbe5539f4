//! From raw numbers to a table: medians, ratios, and whether a target is met.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::Path;

use crate::Result;
use crate::record::{Machine, Measure, Measured};
use crate::support::markdown;
use crate::support::numbers::{median, verdict};

/// Prints the tables, and puts them into a Markdown file where one is named.
pub fn show(machine: &Machine, measured: &[Measured], into: Option<&Path>) -> Result {
    markdown::show(&render(machine, measured), "race", into)
}

fn render(machine: &Machine, measured: &[Measured]) -> String {
    let numbers = Numbers(measured);
    let mut out = String::new();
    let _ = writeln!(
        out,
        "{}, {}, {} GiB; {}; {}; Compose {}; {}. Arguments: `{}`.\n",
        machine.began,
        machine.processors,
        machine.memory_gib,
        machine.system,
        machine.engine,
        machine.compose,
        machine.seatbox,
        machine.arguments
    );
    out.push_str("| target | seatbox | against | ratio | asked for | |\n");
    out.push_str("| --- | --- | --- | --- | --- | --- |\n");
    for build in numbers.builds() {
        for row in numbers.targets(&build) {
            let _ = writeln!(out, "{row}");
        }
    }
    out.push_str(
        "\n| measure | side | at once | seats | times | median | min | max | processors |\n",
    );
    out.push_str("| --- | --- | --- | --- | --- | --- | --- | --- | --- |\n");
    for row in numbers.all() {
        let _ = writeln!(out, "{row}");
    }
    out
}

/// A side at a width, with the median of what it took.
struct Best {
    name: String,
    seconds: f64,
}

struct Numbers<'a>(&'a [Measured]);

impl Numbers<'_> {
    /// The builds of Seatbox: whoever tells a version, or comes up a second time.
    fn builds(&self) -> Vec<String> {
        let mut builds: Vec<String> = Vec::new();
        for measured in self.0 {
            let is_build = measured.side != "compose" && !measured.side.starts_with("bare");
            if is_build && !builds.contains(&measured.side) {
                builds.push(measured.side.clone());
            }
        }
        builds
    }

    fn of<'b>(&'b self, measure: Measure, side: &'b str) -> impl Iterator<Item = &'b Measured> {
        self.0
            .iter()
            .filter(move |m| m.measure == measure && m.side == side)
    }

    /// The best width of a side.
    fn best(&self, measure: Measure, side: &str) -> Option<Best> {
        let mut widths: BTreeMap<Option<usize>, Vec<f64>> = BTreeMap::new();
        for measured in self.of(measure, side) {
            widths
                .entry(measured.width)
                .or_default()
                .push(measured.seconds);
        }
        widths
            .into_iter()
            .map(|(width, seconds)| Best {
                name: match width {
                    Some(width) => format!("{side} × {width}"),
                    None => side.to_owned(),
                },
                seconds: median(seconds.into_iter()),
            })
            .min_by(|a, b| a.seconds.total_cmp(&b.seconds))
    }

    fn targets(&self, build: &str) -> Vec<String> {
        let mut rows = Vec::new();
        let compared = [
            ("`up`, all ready", Measure::Up, "compose", 0.4),
            ("`up`", Measure::Up, "bare", 1.2),
            ("`up`", Measure::Up, "bare-initialised", 1.2),
            ("`reset` of one seat alone", Measure::Reset, "compose", 0.25),
            ("`down`", Measure::Down, "compose", 0.8),
            ("`down` (no target)", Measure::Down, "bare", f64::NAN),
            (
                "`reset` of one of all (no target)",
                Measure::ResetOfMany,
                "compose",
                f64::NAN,
            ),
        ];
        for (name, measure, other, asked) in compared {
            let (Some(own), Some(other)) = (self.best(measure, build), self.best(measure, other))
            else {
                continue;
            };
            let ratio = own.seconds / other.seconds;
            rows.push(format!(
                "| {name} | {:.2} s | {:.2} s, {} | {ratio:.2} | {} | {} |",
                own.seconds,
                other.seconds,
                other.name,
                if asked.is_nan() {
                    "–".to_owned()
                } else {
                    format!("≤ {asked}")
                },
                verdict(ratio, asked),
            ));
        }
        for (name, measure) in [
            ("second `up`, at once", Measure::SecondUp),
            ("second `up`, health known", Measure::SettledUp),
        ] {
            let most = self.of(measure, build).map(|m| m.seats).max();
            let Some(seats) = most else { continue };
            let all: Vec<&Measured> = self
                .of(measure, build)
                .filter(|m| m.seats == seats)
                .collect();
            let seconds = median(all.iter().map(|m| m.seconds));
            rows.push(format!(
                "| {name} | {seconds:.3} s | | | < 0.5 s | {} |",
                verdict(seconds, 0.5)
            ));
        }
        let calls: BTreeMap<u32, u64> = self
            .of(Measure::SettledUp, build)
            .filter_map(|m| Some((m.seats, m.calls?)))
            .collect();
        if let (Some(first), Some(last)) = (calls.values().next(), calls.values().last()) {
            let words: Vec<String> = calls
                .iter()
                .map(|(seats, calls)| format!("{calls} for {seats}"))
                .collect();
            rows.push(format!(
                "| requests of a second `up` | {} seats | | | no more for more seats | {} |",
                words.join(", "),
                if last <= first { "met" } else { "**missed**" }
            ));
        }
        if let Some(best) = self.best(Measure::Plan, build) {
            let peak = self
                .of(Measure::Plan, build)
                .filter_map(|m| m.peak_kib)
                .max()
                .unwrap_or_default() as f64
                * 1024.0
                / 1e6;
            rows.push(format!(
                "| plan of 10,000 seats, no engine | {:.2} s | | | < 1 s | {} |",
                best.seconds,
                verdict(best.seconds, 1.0)
            ));
            rows.push(format!(
                "| … its memory | {peak:.0} MB | | | < 200 MB | {} |",
                verdict(peak, 200.0)
            ));
        }
        if let Some(best) = self.best(Measure::Version, build) {
            let milliseconds = best.seconds * 1e3;
            rows.push(format!(
                "| `--version` | {milliseconds:.1} ms | | | < 10 ms | {} |",
                verdict(milliseconds, 10.0)
            ));
        }
        if self.builds().len() > 1 {
            rows.push(format!("| (that was {build}) | | | | | |"));
        }
        rows
    }

    fn all(&self) -> Vec<String> {
        let mut groups: BTreeMap<(Measure, &str, Option<usize>, u32), Vec<&Measured>> =
            BTreeMap::new();
        for measured in self.0 {
            groups
                .entry((
                    measured.measure,
                    &measured.side,
                    measured.width,
                    measured.seats,
                ))
                .or_default()
                .push(measured);
        }
        groups
            .into_iter()
            .map(|((measure, side, width, seats), all)| {
                let seconds = || all.iter().map(|m| m.seconds);
                format!(
                    "| {} | {side} | {} | {seats} | {} | {:.3} s | {:.3} s | {:.3} s | {:.1} s |",
                    measure.words(),
                    width.map_or_else(String::new, |width| width.to_string()),
                    all.len(),
                    median(seconds()),
                    seconds().fold(f64::INFINITY, f64::min),
                    seconds().fold(0.0, f64::max),
                    median(all.iter().map(|m| m.cpu_seconds)),
                )
            })
            .collect()
    }
}
