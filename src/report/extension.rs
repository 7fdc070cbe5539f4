//! What an `extend` did, as text.

use jiff::Timestamp;

use super::view::ExtensionView;
use super::words;

/// The new end, the one before, and what was not touched.
pub fn text(view: &ExtensionView) -> String {
    let mut out = String::new();
    for notice in &view.notices {
        out.push_str(&format!("note: {}\n", words::one_line(notice)));
    }
    let seats = words::count(view.seats.len(), "seat");
    let verb = match (view.changed, view.dry_run) {
        (true, true) => "would expire",
        _ => "expires",
    };
    out.push_str(&format!(
        "{} {verb} {}",
        view.environment,
        moment(view, view.expires)
    ));
    match view.before {
        Some(before) if view.changed => {
            out.push_str(&format!(" instead of {}", moment(view, before)));
        }
        Some(_) => out.push_str(", as it did before"),
        None => {}
    }
    out.push_str(&format!("; {seats}, none of them touched\n"));
    if !view.gone.is_empty() {
        out.push_str(&format!(
            "meanwhile something was taken away from seat{} {}; `seatbox up` makes it again\n",
            if view.gone.len() == 1 { "" } else { "s" },
            words::ranges(&view.gone)
        ));
    }
    out
}

/// `2026-12-01 10:00 UTC`, and what a clock at the event shows then, where that is another time.
fn moment(view: &ExtensionView, moment: Timestamp) -> String {
    let utc = moment.strftime("%Y-%m-%d %H:%M UTC").to_string();
    match view
        .zone
        .as_ref()
        .and_then(|zone| Some((zone, zone.iana_name()?)))
    {
        Some((zone, name)) if name != "UTC" => {
            let there = moment.to_zoned(zone.clone());
            format!("{utc} ({} {name})", there.strftime("%Y-%m-%d %H:%M"))
        }
        _ => utc,
    }
}

#[cfg(test)]
mod tests {
    use jiff::tz::TimeZone;

    use super::*;
    use crate::model::SeatNumber;

    fn view() -> ExtensionView {
        ExtensionView {
            environment: "go-workshop".parse().unwrap(),
            before: Some("2026-12-01T10:00:00Z".parse().unwrap()),
            expires: "2026-12-01T16:30:00Z".parse().unwrap(),
            changed: true,
            dry_run: false,
            seats: (1..=3).filter_map(SeatNumber::new).collect(),
            gone: Vec::new(),
            notices: Vec::new(),
            zone: None,
        }
    }

    #[test]
    fn an_extension_says_both_ends_and_that_no_seat_was_touched() {
        assert_eq!(
            text(&view()),
            "go-workshop expires 2026-12-01 16:30 UTC instead of 2026-12-01 10:00 UTC; 3 seats, \
             none of them touched\n"
        );
    }

    #[test]
    fn the_time_at_the_event_stands_beside_universal_time() {
        let view = ExtensionView {
            zone: TimeZone::get("Asia/Shanghai").ok(),
            dry_run: true,
            ..view()
        };
        let text = text(&view);
        assert!(
            text.contains("would expire 2026-12-01 16:30 UTC (2026-12-02 00:30 Asia/Shanghai)"),
            "{text}"
        );
    }

    #[test]
    fn what_was_lost_meanwhile_is_named() {
        let view = ExtensionView {
            gone: SeatNumber::new(2).into_iter().collect(),
            notices: vec!["these seats\nexpired".to_owned()],
            changed: false,
            ..view()
        };
        let text = text(&view);
        assert!(text.starts_with("note: these seats expired\n"), "{text}");
        assert!(text.contains("as it did before"), "{text}");
        assert!(text.contains("from seat 02; `seatbox up`"), "{text}");
    }
}
