//! From what is written to what is meant: defaults are in the tree already, here texts become
//! times and sizes, and everything is checked.

use jiff::Timestamp;
use jiff::tz::TimeZone;

use super::checker::Checker;
use super::load::Overrides;
use super::raw::{RawEnvironment, RawEvent, RawLimits, RawSeats};
use super::{aws, files, network, stack, units};
use crate::diagnostic::Diagnostics;
use crate::expiry;
use crate::model::environment::{Event, Lifetime, Limits, ProviderKind, Seats};
use crate::model::id::MAX_SEATS;
use crate::model::{Environment, EnvironmentName, Stack};
use crate::stack::harden;

/// The least memory that an engine accepts for a container, in bytes (Docker's
/// `linuxMinMemory`, 6 MiB since engine 20.10).
const MIN_MEMORY: u64 = 6 * 1024 * 1024;

/// The longest title, in characters: it stands in tables and on cards.
const MAX_TITLE: usize = 200;

/// The environment that `raw` describes.
pub(super) fn environment(
    raw: RawEnvironment,
    mut checker: Checker<'_>,
    overrides: &Overrides,
) -> Result<Environment, Diagnostics> {
    let c = &mut checker;
    c.missing("version", "write `version: 1` on the first line");
    let name = name(c, raw.name.as_deref());
    let (event, zone) = event(c, raw.event.unwrap_or_default(), name.as_ref());
    let seats = seats(c, &raw.seats.unwrap_or_default());
    let lifetime = lifetime(c, raw.lifetime.as_deref(), &zone, overrides.now);
    let images = files::images(c, raw.images.unwrap_or_default());
    let workspace = files::workspace(c, raw.workspace.unwrap_or_default());
    let limits = limits(c, &raw.limits.unwrap_or_default());
    let isolation = files::isolation(c, raw.isolation.unwrap_or_default());
    let provider = raw.provider.unwrap_or(ProviderKind::Docker);
    let surroundings = stack::Surroundings {
        name: name.as_ref(),
        provider,
        seats,
        isolation: &isolation,
        overrides,
    };
    let stack = stack::load(c, raw.stack, &surroundings);
    let aws = aws::aws(c, raw.aws.unwrap_or_default(), provider, seats);
    let ec2 = aws::ec2(c, raw.ec2.unwrap_or_default());
    let ecs = aws::ecs(c, raw.ecs.unwrap_or_default());
    let docker = network::docker(c, raw.docker.unwrap_or_default());
    if let (Some(docker), ProviderKind::Docker) = (&docker, provider) {
        // Without the stack, what each seat needs at least.
        let assumed = Stack::default();
        let stack = stack.as_ref().unwrap_or(&assumed);
        network::check_subnets(c, docker, seats, stack);
        if isolation.internet {
            network::check_ports(c, &docker.ports, seats, stack);
        }
    }
    let problems = checker.problems;
    match (name, lifetime, limits, docker, aws, ec2, stack) {
        (
            Some(name),
            Some(lifetime),
            Some(limits),
            Some(docker),
            Some(aws),
            Some(ec2),
            Some(stack),
        ) if problems.is_empty() => {
            let stack = harden::stack(&stack, &limits, &isolation);
            Ok(Environment {
                name,
                event,
                seats,
                lifetime,
                provider,
                stack,
                images,
                workspace,
                limits,
                isolation,
                docker,
                aws,
                ec2,
                ecs,
            })
        }
        _ => Err(Diagnostics::new(problems)),
    }
}

fn name(c: &mut Checker<'_>, raw: Option<&str>) -> Option<EnvironmentName> {
    let Some(raw) = raw else {
        c.missing("name", "write for example `name: my-workshop`");
        return None;
    };
    raw.parse()
        .map_err(|error: crate::model::id::IdError| {
            let hint = match slug(raw) {
                Some(slug) => format!("write for example `name: {slug}`"),
                None => "write for example `name: my-workshop`".to_owned(),
            };
            c.problem("name", "environment::name", error.to_string(), &hint);
        })
        .ok()
}

/// The DNS label that comes nearest to `text`.
fn slug(text: &str) -> Option<String> {
    let words: Vec<String> = text
        .split(|c: char| !c.is_ascii_alphanumeric())
        .filter(|word| !word.is_empty())
        .map(str::to_ascii_lowercase)
        .collect();
    let slug: String = words.join("-").chars().take(40).collect();
    let slug = slug.trim_end_matches('-').to_owned();
    (!slug.is_empty()).then_some(slug)
}

fn event(c: &mut Checker<'_>, raw: RawEvent, name: Option<&EnvironmentName>) -> (Event, TimeZone) {
    let time_zone = raw.time_zone.unwrap_or_else(|| "UTC".to_owned());
    let zone = TimeZone::get(&time_zone).unwrap_or_else(|_| {
        let message = "there is no time zone of that name";
        let hint = "use an IANA name, such as Asia/Shanghai or Europe/Berlin";
        c.problem("event.time_zone", "environment::time-zone", message, hint);
        TimeZone::UTC
    });
    let locale = raw.locale.unwrap_or_else(|| "en".to_owned());
    if !is_locale(&locale) {
        let hint = "use a BCP 47 tag, such as zh-CN, en or pt-BR";
        c.problem(
            "event.locale",
            "environment::locale",
            "this is not a language tag",
            hint,
        );
    }
    let title = raw
        .title
        .unwrap_or_else(|| name.map(ToString::to_string).unwrap_or_default());
    if title.chars().count() > MAX_TITLE {
        let message = format!("the title is longer than {MAX_TITLE} characters");
        c.problem("event.title", "environment::title", message, "");
    }
    let mut time = |field: &str, text: Option<String>| {
        let text = text?;
        let moment = units::moment(&text, &zone);
        if moment.is_none() {
            let hint = "write 2024-10-19T09:00 for a time in the event's time zone";
            let path = format!("event.{field}");
            c.problem(
                &path,
                "environment::time",
                "this is not a date with a time",
                hint,
            );
        }
        moment
    };
    let starts = time("starts", raw.starts);
    let ends = time("ends", raw.ends);
    if let (Some(starts), Some(ends)) = (starts, ends)
        && ends <= starts
    {
        let message = "the event ends before it begins";
        c.problem("event.ends", "environment::time", message, "");
    }
    let event = Event {
        title,
        starts,
        ends,
        time_zone,
        locale,
    };
    (event, zone)
}

fn is_locale(text: &str) -> bool {
    let mut parts = text.split('-');
    let language = parts.next().unwrap_or_default();
    (2..=8).contains(&language.len())
        && language.bytes().all(|byte| byte.is_ascii_alphabetic())
        && parts.all(|part| {
            (1..=8).contains(&part.len()) && part.bytes().all(|byte| byte.is_ascii_alphanumeric())
        })
}

fn seats(c: &mut Checker<'_>, raw: &RawSeats) -> Seats {
    let seats = Seats {
        count: raw.count.unwrap_or(1),
        group_size: raw.group_size.unwrap_or(12),
        spares: raw.spares.unwrap_or(0),
    };
    let code = "environment::seats";
    let most = format!("at most {MAX_SEATS}, the spares among them");
    if seats.count == 0 {
        c.problem("seats.count", code, "there must be a seat", &most);
    } else if seats.count > MAX_SEATS {
        let message = format!("{} seats are too many", seats.count);
        c.problem("seats.count", code, message, &most);
    } else if seats.spares > MAX_SEATS - seats.count {
        let message = format!("{} and {} seats are too many", seats.count, seats.spares);
        c.problem("seats.spares", code, message, &most);
    }
    if seats.group_size == 0 {
        c.problem(
            "seats.group_size",
            code,
            "a group has at least one seat",
            "",
        );
    }
    // Clamped, so that what is computed from it further on can't overflow.
    let count = seats.count.clamp(1, MAX_SEATS);
    Seats {
        count,
        group_size: seats.group_size.max(1),
        spares: seats.spares.min(MAX_SEATS - count),
    }
}

fn lifetime(
    c: &mut Checker<'_>,
    raw: Option<&str>,
    zone: &TimeZone,
    now: Timestamp,
) -> Option<Lifetime> {
    let (code, hint) = ("environment::lifetime", "at most 90 days");
    let raw = raw?;
    let lifetime = match (units::duration(raw), units::end(raw, zone)) {
        (Some(duration), _) => Lifetime::After(duration),
        (None, Some(moment)) => Lifetime::Until(moment),
        (None, None) => {
            let message = "this is neither a span of time nor a moment";
            let hint = "write 12h or 2d to count from `up`, or 2026-12-01T20:00:00+08:00";
            c.problem("lifetime", code, message, hint);
            return None;
        }
    };
    let span = match lifetime {
        Lifetime::After(span) => span,
        // Nobody's clock: it is not about making seats.
        Lifetime::Until(_) if now == Timestamp::MIN => return Some(lifetime),
        Lifetime::Until(moment) => moment.duration_since(now),
    };
    if !span.is_positive() {
        let (message, hint) = match lifetime {
            Lifetime::After(_) => ("a lifetime must be longer than nothing", hint),
            Lifetime::Until(_) => (
                "this moment is in the past: the seats would have expired before they are there",
                "write a span such as 12h, which counts from `up`",
            ),
        };
        c.problem("lifetime", code, message, hint);
    } else if span > expiry::LONGEST {
        c.problem("lifetime", code, "the seats would live too long", hint);
    }
    Some(lifetime)
}

fn limits(c: &mut Checker<'_>, raw: &RawLimits) -> Option<Limits> {
    let code = "environment::limits";
    let memory = raw.memory.as_deref().map(|text| match units::bytes(text) {
        None => {
            c.problem(
                "limits.memory",
                code,
                "this is not a size",
                "write for example 512MiB",
            );
            0
        }
        Some(bytes) if bytes < MIN_MEMORY || i64::try_from(bytes).is_err() => {
            let message = "no service can have that amount of memory";
            c.problem(
                "limits.memory",
                code,
                message,
                "an engine needs 6 MiB at least",
            );
            bytes
        }
        Some(bytes) => bytes,
    });
    let nano_cpus = raw
        .cpus
        .as_deref()
        .map(|text| match units::nano_cpus(text) {
            None => {
                c.problem(
                    "limits.cpus",
                    code,
                    "this is not a number of CPUs",
                    "write 1.0 or 0.5",
                );
                0
            }
            // The engine's clock for CPU shares ticks at a hundredth.
            Some(nano) if nano < 10_000_000 || i64::try_from(nano).is_err() => {
                let message = "no service can have that number of CPUs";
                c.problem("limits.cpus", code, message, "0.01 at least");
                nano
            }
            Some(nano) => nano,
        });
    if raw.pids == Some(0) || raw.pids.is_some_and(|pids| i64::try_from(pids).is_err()) {
        let message = "a service has at least one process";
        c.problem("limits.pids", code, message, "256 is enough for most");
    }
    Some(Limits {
        memory: memory?,
        nano_cpus: nano_cpus?,
        pids: raw.pids?,
    })
}
