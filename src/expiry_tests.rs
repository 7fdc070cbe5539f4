use super::*;

fn at(text: &str) -> Timestamp {
    text.parse().unwrap()
}

fn end(labels: &[&str]) -> End {
    let labels: Vec<Expires> = labels.iter().map(|label| Expires::read(label)).collect();
    End::of(&labels)
}

fn clocks(engine: &str, here: &str) -> Clocks {
    Clocks {
        engine: at(engine),
        here: at(here),
    }
}

const EVENING: &str = "2026-12-01T10:00:00Z";

#[test]
fn a_moment_is_over_from_itself_on() {
    let end = end(&[EVENING]);
    for (now, over) in [
        ("2026-12-01T09:59:59.999999999Z", false),
        ("2026-12-01T10:00:00Z", true),
        ("2026-12-01T10:00:00.000000001Z", true),
        ("1970-01-01T00:00:00Z", false),
        ("9999-12-30T00:00:00Z", true),
    ] {
        let expected = if over {
            Judgement::Over(at(EVENING))
        } else {
            Judgement::Running(at(EVENING))
        };
        assert_eq!(judge(&end, Clocks::agreeing(at(now))), expected, "{now}");
    }
}

#[test]
fn a_moment_is_the_same_in_whatever_offset_it_is_written() {
    for label in [
        "2026-12-01T10:00:00Z",
        "2026-12-01T18:00:00+08:00",
        "2026-12-01T05:00:00-05:00",
        "2026-12-02T00:00:00+14:00",
        "2026-11-30T22:00:00-12:00",
        "2026-12-01T15:45:00.000+05:45",
        "2026-12-01 10:00:00z",
        " 2026-12-01T10:00:00Z\n",
    ] {
        assert_eq!(Expires::read(label), Expires::At(at(EVENING)), "{label}");
    }
}

#[test]
fn time_zones_leap_days_and_new_year_move_no_moment() {
    // The instant before each end, and the end itself, as clocks there show them.
    for (before, label) in [
        // Shanghai has no summer time.
        ("2026-10-25T01:59:59+08:00", "2026-10-25T02:00:00+08:00"),
        // Berlin's clocks go from 03:00 back to 02:00: the second 02:30 is an hour after the first.
        ("2026-10-25T02:30:00+02:00", "2026-10-25T02:30:00+01:00"),
        // And from 02:00 to 03:00 within a second.
        ("2027-03-28T01:59:59+01:00", "2027-03-28T03:00:00+02:00"),
        ("2026-11-01T01:30:00-04:00", "2026-11-01T01:30:00-05:00"),
        ("2027-03-14T01:59:59-05:00", "2027-03-14T03:00:00-04:00"),
        ("2028-02-28T23:59:59Z", "2028-02-29T00:00:00Z"),
        ("2028-02-29T23:59:59Z", "2028-03-01T00:00:00Z"),
        ("2026-12-31T23:59:59+08:00", "2027-01-01T00:00:00+08:00"),
    ] {
        let end = end(&[label]);
        let judged = |now| judge(&end, Clocks::agreeing(at(now)));
        assert_eq!(judged(before), Judgement::Running(at(label)), "{before}");
        assert_eq!(judged(label), Judgement::Over(at(label)), "{label}");
    }
}

#[test]
fn an_environment_ends_with_the_last_of_what_is_its_own() {
    assert_eq!(
        end(&["2026-12-01T08:00:00Z", "2026-12-01T20:00:00+08:00", EVENING]).latest,
        Some(at("2026-12-01T12:00:00Z"))
    );
    let names: [EnvironmentName; 3] = ["go", "rust", "zig"].map(|name| name.parse().unwrap());
    let [go, rust, zig] = &names;
    let early = Expires::read(EVENING);
    let late = Expires::read("2026-12-01T12:00:00Z");
    let ends = Ends::of([
        (go, Some(&early)),
        (go, Some(&late)),
        (go, None),
        (rust, Some(&early)),
        (zig, None),
    ]);
    assert_eq!(ends.get(go).latest, late.moment());
    assert_eq!(ends.get(rust).latest, early.moment());
    let now = Clocks::agreeing(at("2026-12-01T11:00:00Z"));
    assert_eq!(judge(ends.get(zig), now), Judgement::Unsaid);
    let nowhere = "elsewhere".parse().unwrap();
    assert_eq!(judge(ends.get(&nowhere), now), Judgement::Unsaid);
}

#[test]
fn what_can_not_be_read_is_never_over_whatever_the_rest_says() {
    let long_after = Clocks::agreeing(at("2099-01-01T00:00:00Z"));
    for label in [
        "",
        "soon",
        "2026-12-01",
        "2026-12-01T10:00:00",
        "1790000000",
        "2027-02-29T10:00:00Z",
        "2026-12-01T25:00:00Z",
        "99999-01-01T00:00:00Z",
    ] {
        for labels in [vec![label], vec![EVENING, label], vec![label, EVENING]] {
            assert_eq!(
                judge(&end(&labels), long_after),
                Judgement::Unreadable(label.into()),
                "{labels:?}"
            );
        }
        assert_eq!(Expires::read(label).to_string(), label);
    }
}

#[test]
fn only_what_both_clocks_call_over_is_over() {
    let end = end(&[EVENING]);
    let (before, after) = ("2026-12-01T09:50:00Z", "2026-12-01T10:10:00Z");
    let over = Judgement::Over(at(EVENING));
    let running = Judgement::Running(at(EVENING));
    let disputed = Judgement::Disputed(at(EVENING));
    assert_eq!(judge(&end, clocks(after, after)), over);
    assert_eq!(judge(&end, clocks(before, before)), running);
    assert_eq!(judge(&end, clocks(before, after)), disputed);
    assert_eq!(judge(&end, clocks(after, before)), disputed);
}

#[test]
fn a_clock_that_steps_back_and_forth_takes_nothing_before_its_time() {
    let end = end(&[EVENING]);
    // The engine's clock is right; this machine's is set forward and back between looks.
    for (engine, here, over) in [
        ("2026-12-01T09:00:00Z", "2026-12-01T09:00:00Z", false),
        ("2026-12-01T09:10:00Z", "2026-12-02T09:10:00Z", false),
        ("2026-12-01T09:20:00Z", "1970-01-01T00:00:00Z", false),
        ("2026-12-01T10:10:00Z", "1970-01-01T00:10:00Z", false),
        ("2026-12-01T10:20:00Z", "2026-12-01T10:20:00Z", true),
    ] {
        let judged = judge(&end, clocks(engine, here));
        assert_eq!(
            judged == Judgement::Over(at(EVENING)),
            over,
            "{engine} {here}"
        );
    }
}

#[test]
fn clocks_that_differ_are_told_apart_from_clocks_that_are_wrong() {
    for (here, notable, too_far) in [
        ("2026-12-01T10:00:00Z", false, false),
        ("2026-12-01T10:01:59.999Z", false, false),
        ("2026-12-01T10:02:00Z", true, false),
        ("2026-12-01T09:58:00Z", true, false),
        ("2026-12-01T11:00:00Z", true, false),
        ("2026-12-01T11:00:00.001Z", true, true),
        ("2026-12-01T08:59:59Z", true, true),
        ("1970-01-01T00:00:00Z", true, true),
    ] {
        let clocks = clocks(EVENING, here);
        assert_eq!(clocks.notice().is_some(), notable, "{here}");
        assert_eq!(clocks.are_too_far_apart(), too_far, "{here}");
    }
    let said = clocks(EVENING, "2026-12-01T13:02:00.5Z").to_string();
    for piece in [
        "ahead of",
        "3h",
        "2m",
        "2026-12-01T13:02:00Z",
        "2026-12-01T10:00:00Z",
    ] {
        assert!(said.contains(piece), "{piece} is not in {said}");
    }
    let said = clocks(EVENING, "2026-12-01T09:00:00Z").to_string();
    assert!(said.contains("1h behind"), "{said}");
}

const HOUR: SignedDuration = SignedDuration::from_hours(1);

#[test]
fn an_end_is_moved_from_itself_or_from_now_where_it_is_over() {
    let now = at("2026-12-01T09:00:00Z");
    let by = |present: Option<&str>| moved(present.map(at), Move::By(HOUR * 2), now);
    assert_eq!(by(Some(EVENING)), Ok(at("2026-12-01T12:00:00Z")));
    assert_eq!(
        by(Some("2026-11-30T10:00:00Z")),
        Ok(at("2026-12-01T11:00:00Z"))
    );
    assert_eq!(
        by(Some("2026-12-01T09:00:00Z")),
        Ok(at("2026-12-01T11:00:00Z"))
    );
    assert_eq!(by(None), Ok(at("2026-12-01T11:00:00Z")));
    // Two hours are two hours, whatever clocks on the wall do meanwhile.
    assert_eq!(
        moved(
            Some(at("2026-10-25T02:30:00+02:00")),
            Move::By(HOUR),
            at("2026-10-24T12:00:00Z")
        ),
        Ok(at("2026-10-25T02:30:00+01:00"))
    );
}

#[test]
fn an_end_is_moved_to_a_moment_that_is_not_before_it() {
    let now = at("2026-12-01T09:00:00Z");
    let until = |moment: &str| moved(Some(at(EVENING)), Move::Until(at(moment)), now);
    assert_eq!(until("2026-12-01T18:00:00+08:00"), Ok(at(EVENING)));
    assert_eq!(
        until("2026-12-01T10:00:00.25Z"),
        Ok(at("2026-12-01T10:00:01Z"))
    );
    assert_eq!(
        until("2026-12-01T09:59:59Z"),
        Err(MoveError::Earlier {
            wanted: at("2026-12-01T09:59:59Z"),
            present: at(EVENING)
        })
    );
    let over = |moment: &str| {
        let present = Some(at("2026-12-01T07:00:00Z"));
        moved(present, Move::Until(at(moment)), now)
    };
    assert!(matches!(
        over("2026-12-01T06:00:00Z"),
        Err(MoveError::Earlier { .. })
    ));
    assert!(matches!(
        over("2026-12-01T08:00:00Z"),
        Err(MoveError::Past { .. })
    ));
    assert!(matches!(
        over("2026-12-01T09:00:00Z"),
        Err(MoveError::Past { .. })
    ));
    assert_eq!(over("2026-12-01T09:00:01Z"), Ok(at("2026-12-01T09:00:01Z")));
}

#[test]
fn no_end_is_moved_further_than_seats_may_live_nor_by_nothing() {
    let now = at("2026-12-01T09:00:00Z");
    let days = |count| Move::By(HOUR * 24 * count);
    let latest = at("2027-03-01T09:00:00Z");
    assert_eq!(moved(None, days(90), now), Ok(latest));
    assert_eq!(
        moved(None, days(91), now),
        Err(MoveError::TooFar { latest })
    );
    assert_eq!(
        moved(Some(latest), Move::By(SignedDuration::from_secs(1)), now),
        Err(MoveError::TooFar { latest })
    );
    assert_eq!(
        moved(None, Move::By(SignedDuration::MAX), now),
        Err(MoveError::TooFar { latest })
    );
    // What ends beyond it already, by a clock that was wrong, stays where it is.
    let beyond = at("2028-01-01T00:00:00Z");
    assert_eq!(moved(Some(beyond), Move::Until(beyond), now), Ok(beyond));
    for nothing in [SignedDuration::ZERO, -HOUR, SignedDuration::MIN] {
        assert_eq!(moved(None, Move::By(nothing), now), Err(MoveError::Nothing));
    }
}

#[test]
fn how_far_clocks_are_apart_is_told_to_the_nearest_second() {
    let said = |here| clocks("2026-12-01T10:30:00Z", here).to_string();
    for here in ["2026-12-01T10:00:00.4Z", "2026-12-01T09:59:59.6Z"] {
        assert!(said(here).starts_with("this machine's clock is 30m behind the engine's ("));
    }
}
