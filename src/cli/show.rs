//! Results, as text for people or as one JSON document for programs.

use std::time::Duration;

use serde::Serialize;

use super::args::Output;
use super::print::{line, print};
use crate::bundle::{Brought, Bundle, Saved};
use crate::engine::{Outcome, Phase};
use crate::image::{Choice, Origin};
use crate::model::Environment;
use crate::model::view::SeatView;
use crate::plan::{Plan, Scheme};
use crate::provider::Preflight;
use crate::removal::{Certificate, Thing};
use crate::report::json::v1;
use crate::report::view::{ExtensionView, ImageFrom, ImageView};
use crate::report::{self, Canvas, certificate, extension, summary, table, words};

/// One document.
pub fn json(document: &impl Serialize) {
    let text = serde_json::to_string_pretty(document).expect("reports are plain data");
    line(text);
}

/// What came of an `up` or a `reset`. `arguments` is how the command names the environment.
pub fn converged(
    output: Output,
    environment: &Environment,
    phase: Phase,
    arguments: &str,
    views: &[SeatView],
    outcome: &Outcome,
) {
    let expires = views.iter().filter_map(|view| view.expires).min();
    if output == Output::Json {
        json(&v1::UpReport::new(
            &environment.name,
            expires,
            views,
            outcome,
        ));
        return;
    }
    print(table::seats(views, outcome, Canvas::stdout()));
    let seat = views.first().map_or(1, |view| view.seat.get());
    let command = |verb: &str, rest: &str| format!("seatbox {verb}{arguments}{rest}");
    let one = format!(" --seat {seat}");
    let verb = if phase == Phase::Reset { "reset" } else { "up" };
    let next = [
        (
            command("shell", &one),
            format!("opens a shell in seat {seat}"),
        ),
        (
            command("reset", &one),
            format!("gives seat {seat} a fresh stack"),
        ),
        (command("status", ""), "shows how the seats are".to_owned()),
        (command("down", ""), "takes everything away".to_owned()),
    ];
    let closing = summary::Closing {
        environment: &environment.name,
        seats: views,
        outcome,
        expires,
        again: &command(verb, ""),
        next: if phase == Phase::Up { &next } else { &[] },
    };
    print(format_args!("\n{}", summary::text(&closing)));
}

/// A plan, as it would be carried out, whether that can be, and how long it takes.
pub fn plan<S: Scheme>(
    output: Output,
    environment: &Environment,
    plan: &Plan<S>,
    preflight: &Preflight,
    expected: Option<Duration>,
) {
    match output {
        Output::Json => {
            let report = v1::PlanReport::new(Some(&environment.name), plan, &[]);
            json(&report.after(preflight).expected(expected));
        }
        Output::Text => {
            print(plan);
            print(preflight);
            if let Some(expected) = expected.filter(|_| !plan.changes_nothing()) {
                line(format_args!(
                    "expected: {} for the calls, by the limits that AWS sets; what they start comes on top",
                    words::duration(expected)
                ));
            }
        }
    }
}

/// What a `down` or a `sweep` would delete, and why the rest stays.
pub fn teardown_plan<S: Scheme>(output: Output, plan: &Plan<S>, kept: &[(Thing, String)]) {
    if output == Output::Json {
        json(&v1::PlanReport::new(None, plan, kept));
        return;
    }
    print(plan);
    for (thing, reason) in kept {
        line(format_args!(
            "keep  {} {}  ({reason})",
            thing.kind, thing.name
        ));
    }
}

/// The same as text, of one region among several.
pub fn teardown_plan_in<S: Scheme>(region: &str, plan: &Plan<S>, kept: &[(Thing, String)]) {
    line(format_args!("{region}:"));
    teardown_plan(Output::Text, plan, kept);
}

/// How seats are.
pub fn status(output: Output, environment: &Environment, views: &[SeatView], notices: &[String]) {
    match output {
        Output::Json => json(&v1::StatusReport::new(&environment.name, views, notices)),
        Output::Text => {
            print(table::status(views, Canvas::stdout()));
            if let Some(expires) = views.iter().find_map(|view| view.expires) {
                print(summary::end(&environment.name, expires));
            }
            for notice in notices {
                line(format_args!("note: {notice}"));
            }
        }
    }
}

/// What an extension did, or would do.
pub fn extended(output: Output, view: &ExtensionView) {
    match output {
        Output::Json => json(&v1::ExtendReport::from(view)),
        Output::Text => print(extension::text(view)),
    }
}

/// What was taken away.
pub fn certified(output: Output, view: &Certificate) {
    match output {
        Output::Json => json(&v1::Certificate::from(view)),
        Output::Text => print(certificate::text(view)),
    }
}

/// A bundle that was saved.
pub fn saved(output: Output, saved: &Saved) {
    match output {
        Output::Json => json(&v1::SaveReport::new(saved)),
        Output::Text => print(report::bundle::saved(saved)),
    }
}

/// What came of a bundle's images.
pub fn loaded(output: Output, bundle: &Bundle, brought: &Brought) {
    match output {
        Output::Json => json(&v1::LoadReport::new(bundle, brought)),
        Output::Text => print(report::bundle::loaded(bundle, brought)),
    }
}

/// Where images come from.
pub fn images(output: Output, choices: &[Choice]) {
    let views: Vec<ImageView> = choices.iter().map(view).collect();
    match output {
        Output::Json => json(&v1::ImagesReport::new(&views)),
        Output::Text => print(table::images(&views, Canvas::stdout())),
    }
}

fn view(choice: &Choice) -> ImageView {
    let stand_in = choice
        .is_stand_in()
        .then(|| format!("stands in for {}", choice.wanted));
    ImageView {
        image: choice.wanted.clone(),
        reference: choice.reference.to_string(),
        from: match choice.origin {
            Origin::Present { .. } => ImageFrom::Engine,
            Origin::Registry { .. } => ImageFrom::Registry,
            Origin::Recipe { .. } => ImageFrom::Recipe,
            Origin::Bundle { .. } => ImageFrom::Bundle,
            Origin::Nowhere { .. } => ImageFrom::Nowhere,
        },
        verb: choice.verb().to_owned(),
        reasons: match &choice.origin {
            Origin::Nowhere { reasons } => reasons.clone(),
            _ => stand_in.into_iter().collect(),
        },
    }
}
