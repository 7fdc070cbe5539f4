//! The certificate of a `down` or a `sweep`, as text.

use std::collections::BTreeMap;

use super::view::{CertificateView, Scope, SecondLook, Seen, Thing};
use super::words;

/// The certificate: what was found and deleted, what further looks found, what is left.
pub fn text(view: &CertificateView) -> String {
    let mut lines = vec![
        format!("found    {}", counted(&view.found)),
        format!("deleted  {}", counted(&view.deleted)),
    ];
    if !view.failed.is_empty() {
        lines.push(format!(
            "failed   {}",
            counted(view.failed.iter().map(|(thing, _)| thing))
        ));
        for (thing, failure) in &view.failed {
            lines.push(format!("  {}: {}", name(thing), words::failure(failure)));
        }
    }
    if !view.kept.is_empty() {
        lines.push(format!(
            "kept     {}",
            counted(view.kept.iter().map(|(thing, _)| thing))
        ));
        lines.extend(kept(&view.kept));
    }
    for (region, failure) in &view.unseen {
        lines.push(format!("unseen   {region}: {}", words::failure(failure)));
    }
    lines.push(looks(view));
    lines.extend(view.second.as_ref().map(second));
    lines.push(conclusion(view));
    lines.push(String::new());
    lines.join("\n")
}

/// What was kept: by name where it is little, else in one line for all that was kept of an
/// environment for one reason. A sweep comes by many times while an event goes on.
fn kept(kept: &[(Thing, String)]) -> Vec<String> {
    const LITTLE: usize = 3;
    let mut groups: BTreeMap<(&str, &str), Vec<&Thing>> = BTreeMap::new();
    for (thing, reason) in kept {
        let group = (thing.environment.as_str(), reason.as_str());
        groups.entry(group).or_default().push(thing);
    }
    let mut lines = Vec::new();
    for ((environment, reason), things) in groups {
        let reason = words::one_line(reason);
        if things.len() <= LITTLE {
            lines.extend(
                things
                    .iter()
                    .map(|thing| format!("  {}: {reason}", name(thing))),
            );
        } else {
            lines.push(format!("  {environment}, {}: {reason}", counted(things)));
        }
    }
    lines
}

fn looks(view: &CertificateView) -> String {
    let found: Vec<usize> = view.looks.iter().map(|look| look.found).collect();
    // Where there is but one way to look, it is not worth a word.
    let by = match view.second {
        Some(_) => ", by each service's own lists",
        None => "",
    };
    match found.as_slice() {
        [] => "looked   not again".to_owned(),
        [0, 0] => format!("looked   twice again until {}{by}: nothing", last(view)),
        counts => {
            let words: Vec<String> = counts
                .iter()
                .map(|count| match count {
                    0 => "nothing".to_owned(),
                    count => count.to_string(),
                })
                .collect();
            let times = words::count(counts.len(), "time");
            format!(
                "looked   {times} again until {}{by}: {}",
                last(view),
                words.join(", then ")
            )
        }
    }
}

/// The look by another list, which only AWS has.
fn second(look: &SecondLook) -> String {
    let words = match &look.seen {
        Ok(Seen { listed: 0, .. }) => "nothing is on it".to_owned(),
        Ok(Seen { listed, left: 0 }) => {
            format!("{} on it, all gone since", words::count(*listed, "thing"))
        }
        Ok(Seen { listed, left }) => {
            format!(
                "{} on it, {left} there still",
                words::count(*listed, "thing")
            )
        }
        Err(failure) => format!("can't be read: {}", words::failure(failure)),
    };
    format!("by tags  the list of AWS's tagging API: {words}")
}

/// When the last look at each kind was, to the second.
fn last(view: &CertificateView) -> String {
    let last = view.looks.last().map_or(view.finished, |look| look.at);
    last.strftime("%Y-%m-%dT%H:%M:%SZ").to_string()
}

fn conclusion(view: &CertificateView) -> String {
    let what = scope(view);
    if view.is_clean() {
        return format!("nothing of {what} is left");
    }
    match view.looks.last() {
        Some(look) if look.found > 0 => {
            format!("{} left of {what}", is_left(look.found))
        }
        _ if !view.failed.is_empty() => {
            format!("{} left of {what}", is_left(view.failed.len()))
        }
        _ if !view.unseen.is_empty() => {
            let regions: Vec<&str> = view.unseen.iter().map(|(region, _)| &**region).collect();
            let regions = regions.join(", ");
            format!("whether anything of {what} is left in {regions} is not known")
        }
        _ => format!("whether anything of {what} is left is not known: the looks are not complete"),
    }
}

fn is_left(count: usize) -> String {
    let verb = if count == 1 { "is" } else { "are" };
    format!("{} {verb}", words::count(count, "thing"))
}

fn scope(view: &CertificateView) -> String {
    let environments: Vec<&str> = view.environments.iter().map(|name| name.as_str()).collect();
    let environments = environments.join(", ");
    match &view.scope {
        Scope::Environments => environments,
        Scope::Seats(seats) => format!("seats {} of {environments}", words::ranges(seats)),
        Scope::Expired => "what is past its time".to_owned(),
        Scope::Everything => "all that carries Seatbox's labels".to_owned(),
    }
}

fn name(thing: &Thing) -> String {
    let region = thing.region.as_deref();
    let region = region.map_or(String::new(), |region| format!("{region} "));
    format!("{region}{} {}", thing.kind, thing.name)
}

/// `115: 69 containers, 23 networks, 23 volumes`
fn counted<'a>(things: impl IntoIterator<Item = &'a Thing>) -> String {
    let mut kinds: BTreeMap<&str, usize> = BTreeMap::new();
    for thing in things {
        *kinds.entry(&thing.kind).or_default() += 1;
    }
    let total: usize = kinds.values().sum();
    if total == 0 {
        return "nothing".to_owned();
    }
    let words: Vec<String> = kinds
        .iter()
        .map(|(kind, count)| words::count(*count, kind))
        .collect();
    format!("{total}: {}", words.join(", "))
}

#[cfg(test)]
#[path = "certificate_tests.rs"]
mod tests;
