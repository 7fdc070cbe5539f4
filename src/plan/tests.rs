//! Planning on a small vocabulary of its own: a box stands on a floor, and opens.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use super::*;
use crate::model::SeatNumber;
use crate::model::seat::Owner;

#[derive(Debug, Clone)]
pub(crate) struct Toy;

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum ToyKind {
    Floor,
    Box,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum ToyStep {
    Make,
    Open,
    Look,
    Mend,
    /// One call serves three of them, where their numbers are the same.
    Ship(u64),
    /// One call serves three of them, which wait 100 ms for each other.
    Gather,
}

impl Scheme for Toy {
    type Kind = ToyKind;
    type Step = ToyStep;
}

impl fmt::Display for ToyKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Floor => "floor",
            Self::Box => "box",
        })
    }
}

impl fmt::Display for ToyStep {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Make => "make",
            Self::Open => "open",
            Self::Look => "look",
            Self::Mend => "mend",
            Self::Ship(_) => "ship",
            Self::Gather => "gather",
        })
    }
}

const LANE: Lane = Lane::new("toys", 2);

impl Kind for ToyKind {
    fn delete_lane(self) -> Lane {
        LANE
    }
}

impl Step for ToyStep {
    fn lane(&self) -> Lane {
        match self {
            Self::Ship(_) => Lane::new("ships", 2).serving(3),
            Self::Gather => Lane::new("gatherings", 1)
                .serving(3)
                .lingering(Duration::from_millis(100)),
            _ => LANE,
        }
    }
    fn group(&self) -> u64 {
        match self {
            Self::Ship(number) => *number,
            _ => 0,
        }
    }
    fn is_check(&self) -> bool {
        *self == Self::Look
    }
}

fn seat(number: u32) -> Owner {
    Owner::Seat(SeatNumber::new(number).unwrap())
}

fn fingerprint() -> Fingerprint {
    Fingerprint::of(&"v1")
}

fn need(kind: ToyKind, name: &str, stages: usize, bond: Bond) -> Need<ToyKind> {
    Need {
        key: Key::new(kind, name),
        stages,
        bond,
    }
}

pub(crate) fn floor(number: u32) -> Desired<Toy> {
    Desired {
        key: Key::new(ToyKind::Floor, format!("f{number}")),
        owner: seat(number),
        service: None,
        fingerprint: fingerprint(),
        stages: vec![Stage::new(ToyStep::Make)],
        on_reset: OnReset::KeptWithWorkspace,
    }
}

pub(crate) fn a_box(number: u32, name: &str, opens_after: Option<&str>) -> Desired<Toy> {
    let mut open = Stage::new(ToyStep::Open);
    open.needs.extend(
        opens_after.map(|other| need(ToyKind::Box, &format!("{other}{number}"), 3, Bond::Follows)),
    );
    let mut make = Stage::new(ToyStep::Make);
    make.needs
        .push(need(ToyKind::Floor, &format!("f{number}"), 1, Bond::Holds));
    Desired {
        key: Key::new(ToyKind::Box, format!("{name}{number}")),
        owner: seat(number),
        service: None,
        fingerprint: fingerprint(),
        stages: vec![make, open, Stage::new(ToyStep::Look)],
        on_reset: OnReset::Renewed,
    }
}

/// What a completely brought up resource looks like.
pub(crate) fn found(desired: &Desired<Toy>) -> Found<Toy> {
    Found {
        key: desired.key.clone(),
        owner: desired.owner,
        id: format!("id-{}", desired.key.name).into(),
        fingerprint: Some(desired.fingerprint.clone()),
        done: desired.stages.len(),
        lag: None,
        unusable: None,
        repairs: Vec::new(),
    }
}

fn wanted() -> Vec<Desired<Toy>> {
    // `a` opens after `b`, which is declared after it.
    vec![floor(1), a_box(1, "a", Some("b")), a_box(1, "b", None)]
}

fn text(plan: &Plan<Toy>) -> Vec<String> {
    plan.actions
        .iter()
        .map(|action| {
            let after: Vec<String> = action.after.iter().map(ToString::to_string).collect();
            format!(
                "{} {} {} ({}) after [{}]",
                action.id,
                action.verb(),
                action.key.name,
                action.cause,
                after.join(" ")
            )
        })
        .collect()
}

fn repair(found: Vec<Found<Toy>>) -> Vec<String> {
    text(&converge(&wanted(), found, &Mode::Repair))
}

#[test]
fn from_nothing_everything_is_made_in_the_order_of_its_needs() {
    assert_eq!(
        repair(vec![]),
        [
            "0 make f1 (missing) after []",
            "1 make b1 (missing) after [0]",
            "2 open b1 (missing) after [1]",
            "3 look b1 (missing) after [2]",
            "4 make a1 (missing) after [0]",
            "5 open a1 (missing) after [4 3]",
            "6 look a1 (missing) after [5]",
        ]
    );
}

#[test]
fn where_everything_is_as_wanted_there_is_nothing_to_do() {
    let plan = converge(
        &wanted(),
        wanted().iter().map(found).collect(),
        &Mode::Repair,
    );
    assert!(plan.actions.is_empty());
    assert_eq!(plan.seats.len(), 1);
}

#[test]
fn what_is_behind_goes_on_from_where_it_is() {
    let mut existing: Vec<Found<Toy>> = wanted().iter().map(found).collect();
    existing[1].done = 1;
    existing[1].lag = Some(Cause::Behind("closed".into()));
    assert_eq!(
        repair(existing),
        [
            "0 open a1 (closed) after []",
            "1 look a1 (closed) after [0]"
        ]
    );
}

#[test]
fn what_only_has_to_be_looked_at_changes_nothing() {
    let mut existing: Vec<Found<Toy>> = wanted().iter().map(found).collect();
    existing[2].done = 2;
    let plan = converge(&wanted(), existing, &Mode::Repair);
    assert_eq!(plan.actions.len(), 1);
    assert!(plan.changes_nothing());
}

#[test]
fn a_changed_resource_is_deleted_and_made_anew_and_the_others_stay() {
    let mut existing: Vec<Found<Toy>> = wanted().iter().map(found).collect();
    existing[2].fingerprint = Some(Fingerprint::of(&"v0"));
    assert_eq!(
        repair(existing),
        [
            "0 delete b1 (its specification changed) after []",
            "1 make b1 (its specification changed) after [0]",
            "2 open b1 (its specification changed) after [1]",
            "3 look b1 (its specification changed) after [2]",
        ]
    );
}

#[test]
fn what_stands_on_something_made_anew_is_made_anew_with_it() {
    let existing = wanted()[1..].iter().map(found).collect();
    let plan = repair(existing);
    assert_eq!(plan[0], "0 delete a1 (floor f1 is made anew) after []");
    assert_eq!(plan[1], "1 delete b1 (floor f1 is made anew) after []");
    assert_eq!(plan[2], "2 make f1 (missing) after []");
    assert_eq!(plan.len(), 2 + 1 + 6);
}

#[test]
fn what_nothing_wants_is_deleted_before_anything_of_its_seat_is_made() {
    let mut existing: Vec<Found<Toy>> = wanted()[..1].iter().map(found).collect();
    existing.push(found(&a_box(1, "old", None)));
    let plan = repair(existing);
    assert_eq!(
        plan[0],
        "0 delete old1 (not in the environment any more) after []"
    );
    assert_eq!(plan[1], "1 make b1 (missing) after [0]");
}

#[test]
fn a_repair_comes_before_the_stages_that_are_left() {
    let mut existing: Vec<Found<Toy>> = wanted().iter().map(found).collect();
    existing[2].done = 2;
    existing[2].lag = Some(Cause::Behind("bent".into()));
    existing[2]
        .repairs
        .push((ToyStep::Mend, Cause::Behind("bent".into())));
    assert_eq!(
        repair(existing),
        ["0 mend b1 (bent) after []", "1 look b1 (bent) after [0]"]
    );
}

#[test]
fn a_reset_makes_all_anew_but_what_it_keeps() {
    let existing: Vec<Found<Toy>> = wanted().iter().map(found).collect();
    let kept = converge(
        &wanted(),
        existing.clone(),
        &Mode::Reset { workspace: false },
    );
    assert_eq!(kept.actions.len(), 2 + 6);
    assert!(
        kept.actions
            .iter()
            .all(|action| action.key.kind == ToyKind::Box)
    );
    let all = converge(&wanted(), existing, &Mode::Reset { workspace: true });
    assert_eq!(all.actions.len(), 3 + 7);
}

#[test]
fn what_is_always_kept_outlives_a_reset_of_the_workspace_too_and_changes_when_it_is_wanted_otherwise()
 {
    let mut wanted = wanted();
    wanted[0].on_reset = OnReset::Kept;
    let mut existing: Vec<Found<Toy>> = wanted.iter().map(found).collect();
    let whole = Mode::Reset { workspace: true };
    let number = SeatNumber::new(1).unwrap();
    let rest = Mode::Finish(Rest {
        workspace: true,
        seats: [(number, Left::All)].into(),
    });
    for mode in [&whole, &rest] {
        let plan = converge(&wanted, existing.clone(), mode);
        assert_eq!(plan.actions.len(), 2 + 6);
        let mut kinds = plan.actions.iter().map(|action| action.key.kind);
        assert!(kinds.all(|kind| kind == ToyKind::Box));
    }
    existing[0].fingerprint = Some(Fingerprint::of(&"v0"));
    let plan = text(&converge(&wanted, existing, &whole));
    assert_eq!(
        plan[2],
        "2 delete f1 (its specification changed) after [0 1]"
    );
}

#[test]
fn in_a_reset_each_waits_for_what_it_replaces_and_not_for_its_neighbours() {
    let existing: Vec<Found<Toy>> = wanted().iter().map(found).collect();
    assert_eq!(
        text(&converge(
            &wanted(),
            existing,
            &Mode::Reset { workspace: true }
        ))[..7],
        [
            "0 delete a1 (reset) after []",
            "1 delete b1 (reset) after []",
            "2 delete f1 (reset) after [0 1]",
            "3 make f1 (reset) after [2]",
            "4 make b1 (reset) after [1 3]",
            "5 open b1 (reset) after [4]",
            "6 look b1 (reset) after [5]",
        ]
    );
}

#[test]
fn what_is_replaced_by_something_else_goes_before_anything_of_its_seat_is_made() {
    // What it held (a host port) may be what another one is to get.
    let mut existing: Vec<Found<Toy>> = wanted().iter().map(found).collect();
    existing[1].fingerprint = Some(Fingerprint::of(&"v0"));
    existing[2].unusable = Some(Cause::Broken("dead".into()));
    let plan = repair(existing);
    assert_eq!(plan[0], "0 delete a1 (its specification changed) after []");
    assert_eq!(plan[1], "1 delete b1 (dead) after []");
    assert_eq!(plan[2], "2 make b1 (dead) after [0 1]");
}

#[test]
fn a_reset_of_a_seat_leaves_the_others_alone() {
    let existing: Vec<Found<Toy>> = wanted().iter().map(found).collect();
    let plan = converge(&wanted(), existing, &Mode::Reset { workspace: false });
    assert!(plan.actions.iter().all(|action| action.owner == seat(1)));
}

#[test]
fn a_reset_goes_on_with_what_could_not_be_deleted_and_all_that_waited_for_it() {
    let existing: Vec<Found<Toy>> = wanted().iter().map(found).collect();
    let whole = Mode::Reset { workspace: true };
    let plan = converge(&wanted(), existing.clone(), &whole);
    // `a1` could not be deleted, so that its floor was not tried. `b1` has gone.
    let rest = whole.after(&plan, |id| &*plan.actions[id].key.name == "a1");
    let old = [("box", "id-a1"), ("floor", "id-f1")].map(|(kind, id)| (kind.into(), id.into()));
    let number = SeatNumber::new(1).unwrap();
    let expected = Rest {
        workspace: true,
        seats: [(number, Left::Only(old.into()))].into(),
    };
    assert_eq!(rest, Mode::Finish(expected));
    let plan = converge(&wanted(), existing[..2].to_vec(), &rest);
    assert_eq!(
        text(&plan)[..3],
        [
            "0 delete a1 (reset) after []",
            "1 delete f1 (reset) after [0]",
            "2 make f1 (reset) after [1]",
        ]
    );
    assert_eq!(
        rest.after(&plan, |_| false),
        Mode::Finish(Rest {
            workspace: true,
            seats: [].into(),
        })
    );
}

#[test]
fn what_has_the_name_of_something_that_is_left_of_a_reset_is_not_made_anew() {
    let mut existing: Vec<Found<Toy>> = wanted().iter().map(found).collect();
    let id = Arc::clone(&existing[1].id);
    existing[0].id = id;
    let old = [("box".into(), Arc::clone(&existing[1].id))];
    let rest = Mode::Finish(Rest {
        workspace: false,
        seats: [(SeatNumber::new(1).unwrap(), Left::Only(old.into()))].into(),
    });
    let plan = converge(&wanted(), existing, &rest);
    let deleted = plan
        .actions
        .iter()
        .filter_map(|action| match action.operation {
            Operation::Delete(_) => Some(action.key.kind),
            _ => None,
        });
    assert_eq!(deleted.collect::<Vec<_>>(), [ToyKind::Box]);
}

#[test]
fn what_is_left_of_a_reset_stays_left_while_its_seat_is_barred() {
    let number = SeatNumber::new(1).unwrap();
    let mut plan: Plan<Toy> = Plan::empty();
    plan.blocked.push(Blocked {
        seat: number,
        reason: "a port is taken".to_owned(),
    });
    let whole = Mode::Reset { workspace: false }.after(&plan, |_| false);
    let rest = |left| {
        Mode::Finish(Rest {
            workspace: false,
            seats: [(number, left)].into(),
        })
    };
    assert_eq!(whole, rest(Left::All));
    let some = rest(Left::Only([("box".into(), "id-a1".into())].into()));
    assert_eq!(some.after(&plan, |_| false), some);
    assert_eq!(Mode::Repair.after(&plan, |_| false), Mode::Repair);
}

#[test]
fn a_teardown_takes_boxes_before_their_floor_and_shared_things_last() {
    let mut shared = found(&floor(9));
    shared.owner = Owner::Shared;
    let existing = vec![
        (shared, Cause::Down),
        (found(&floor(2)), Cause::Down),
        (found(&a_box(2, "a", None)), Cause::Down),
        (found(&floor(1)), Cause::Down),
        (found(&a_box(1, "a", None)), Cause::Down),
    ];
    assert_eq!(
        text(&teardown(existing)),
        [
            "0 delete a1 (down) after []",
            "1 delete f1 (down) after [0]",
            "2 delete a2 (down) after []",
            "3 delete f2 (down) after [2]",
            "4 delete f9 (down) after [0 2]",
        ]
    );
}

#[test]
fn a_plans_text_names_seat_verb_resource_and_cause_and_ends_with_a_count() {
    let plan = converge(
        &wanted(),
        vec![found(&a_box(1, "old", None))],
        &Mode::Repair,
    );
    let text = plan.to_string();
    let lines: Vec<&str> = text.lines().collect();
    assert_eq!(
        lines[0],
        "seat 01  delete   box old1  (not in the environment any more)"
    );
    assert_eq!(lines[1], "seat 01  make     floor f1  (missing)");
    assert_eq!(
        lines.last().unwrap(),
        &"6 changes to 1 seat: bring up 1 × floor, bring up 2 × box, delete 1 × box"
    );
}
