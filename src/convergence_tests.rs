//! Rounds in a world of toys, where calls fail as they are told to.

use std::collections::HashMap;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use super::*;
use crate::engine::retry::MOST_ATTEMPTS;
use crate::engine::{Apply, Event, Progress};
use crate::plan::tests::{Toy, ToyKind, a_box, floor, found};
use crate::plan::{self, Action, Blocked, Desired, Found, Key};
use crate::provider::Existing;
use crate::provider::preflight::{Check, Verdict};

type Things = BTreeMap<Key<ToyKind>, Found<Toy>>;

/// A floor and two boxes for each seat.
#[derive(Default)]
struct World {
    things: Mutex<Things>,
    looks: AtomicUsize,
    calls: Mutex<Vec<String>>,
    /// What the next calls of that name come to, where they don't succeed. One that times out has
    /// worked, and nobody heard of it.
    failures: Mutex<HashMap<String, Vec<Failure>>>,
    /// Seats that can't be planned for, for so many plans, and why.
    blocked: Mutex<HashMap<u32, (usize, &'static str)>>,
    /// What is gone right after that call.
    vanishing: Mutex<HashMap<String, Key<ToyKind>>>,
    /// How often it was asked whether a plan can be carried out.
    preflights: AtomicUsize,
    /// Whether none can.
    refuses: bool,
    /// Cancelled by that call.
    cancel_at: Option<(String, CancellationToken)>,
}

fn seat(number: u32) -> SeatNumber {
    SeatNumber::new(number).unwrap()
}

fn failure(class: FailureClass) -> Failure {
    Failure::new(class, "make", "no")
}

impl World {
    fn fail(self, call: &str, classes: &[FailureClass]) -> Self {
        let failures = classes.iter().map(|class| failure(*class)).collect();
        self.failures
            .lock()
            .unwrap()
            .insert(call.to_owned(), failures);
        self
    }

    /// One in which the seats are up.
    fn with(self, seats: u32) -> Self {
        for desired in (1..=seats).flat_map(wanted) {
            let found = found(&desired);
            self.things.lock().unwrap().insert(desired.key, found);
        }
        self
    }

    fn calls(&self, call: &str) -> usize {
        let calls = self.calls.lock().unwrap();
        calls.iter().filter(|made| *made == call).count()
    }

    /// Each of these calls was made so many times.
    #[track_caller]
    fn assert_calls(&self, expected: &[(&str, usize)]) {
        for (call, times) in expected {
            assert_eq!(self.calls(call), *times, "{call}");
        }
    }

    fn looks(&self) -> usize {
        self.looks.load(Ordering::Relaxed)
    }

    async fn bring(&self, seats: u32, mode: Mode) -> (Converged, Vec<Event>) {
        let (converged, events) = self.try_bring(seats, mode).await;
        (converged.unwrap(), events)
    }

    async fn try_bring(
        &self,
        seats: u32,
        mode: Mode,
    ) -> (std::result::Result<Converged, Error>, Vec<Event>) {
        let cancel = match &self.cancel_at {
            Some((_, cancel)) => cancel.clone(),
            None => CancellationToken::new(),
        };
        let seats: Vec<SeatNumber> = (1..=seats).map(seat).collect();
        let (events, mut receiver) = Events::channel();
        let converged = converge(self, None, &seats, Phase::Up, mode, &events, &cancel).await;
        drop(events);
        let mut seen = Vec::new();
        while let Some(event) = receiver.recv().await {
            seen.push(event);
        }
        (converged, seen)
    }
}

fn wanted(number: u32) -> [Desired<Toy>; 3] {
    [
        floor(number),
        a_box(number, "b", None),
        a_box(number, "c", None),
    ]
}

impl Apply<Toy> for World {
    async fn apply(&self, action: &Action<Toy>, _: &Progress) -> Result<(), Failure> {
        let call = format!("{} {}", action.verb(), action.key.name);
        self.calls.lock().unwrap().push(call.clone());
        if let Some((at, token)) = &self.cancel_at
            && *at == call
        {
            token.cancel();
        }
        let failure = self
            .failures
            .lock()
            .unwrap()
            .get_mut(&call)
            .and_then(Vec::pop);
        if let Some(failure) = &failure
            && failure.class != FailureClass::Timeout
        {
            return Err(failure.clone());
        }
        let mut things = self.things.lock().unwrap();
        match &action.operation {
            Operation::Delete(_) => {
                things.remove(&action.key);
            }
            Operation::Bring(step) => {
                let number = action.owner.seat().unwrap().get();
                let desired = wanted(number)
                    .into_iter()
                    .find(|desired| desired.key == action.key)
                    .unwrap();
                let thing = things.entry(action.key.clone()).or_insert_with(|| Found {
                    done: 0,
                    ..found(&desired)
                });
                let stage = desired.stages.iter().position(|stage| stage.step == *step);
                thing.done = stage.unwrap() + 1;
            }
        }
        if let Some(key) = self.vanishing.lock().unwrap().remove(&call) {
            things.remove(&key);
        }
        failure.map_or(Ok(()), Err)
    }
}

impl Provider for World {
    type Scheme = Toy;
    type Observed = Things;

    async fn observe(&self) -> Result<Things, Failure> {
        self.looks.fetch_add(1, Ordering::Relaxed);
        Ok(self.things.lock().unwrap().clone())
    }

    async fn converge(
        &self,
        observed: &Things,
        seats: &[SeatNumber],
        mode: &Mode,
    ) -> Result<Plan<Toy>, Failure> {
        let mut blocked = Vec::new();
        let mut desired = Vec::new();
        for &seat in seats {
            match self.blocked.lock().unwrap().get_mut(&seat.get()) {
                Some((left @ 1.., reason)) => {
                    *left -= 1;
                    blocked.push(Blocked {
                        seat,
                        reason: (*reason).to_owned(),
                    });
                }
                _ => desired.extend(wanted(seat.get())),
            }
        }
        let found = observed.values();
        let found = found.filter(|found| desired.iter().any(|desired| desired.key == found.key));
        let mut plan = plan::converge(&desired, found.cloned().collect(), mode);
        plan.seats = seats.to_vec();
        plan.blocked = blocked;
        Ok(plan)
    }

    async fn preflight(&self, _: &Things, _: &Plan<Toy>) -> Preflight {
        self.preflights.fetch_add(1, Ordering::Relaxed);
        let unknown = Check::new("room", Verdict::Unknown, "nobody knows");
        let failed = Check::new("room", Verdict::Failed, "there is none");
        Preflight {
            checks: match self.refuses {
                true => vec![unknown, failed],
                false => vec![unknown],
            },
        }
    }

    fn existing(&self, _: &Things) -> Vec<Existing<Toy>> {
        Vec::new()
    }

    async fn look_closer(&self, _: &mut Things, _: &[SeatNumber]) {}

    fn seats(&self, observed: &Things, seats: &[SeatNumber]) -> Vec<SeatView> {
        let view = |&seat: &SeatNumber| {
            let is_complete = wanted(seat.get()).iter().all(|desired| {
                let found = observed.get(&desired.key);
                found.is_some_and(|found| found.done == desired.stages.len())
            });
            SeatView {
                seat,
                group: 1,
                state: match is_complete {
                    true => SeatState::Ready,
                    false => SeatState::Degraded,
                },
                services: vec![crate::model::view::ServiceView {
                    service: "box".parse().unwrap(),
                    id: None,
                    state: "so".to_owned(),
                    problem: (!is_complete).then(|| "it is not complete".to_owned()),
                }],
                address: None,
                ports: Vec::new(),
                expires: None,
                took: None,
            }
        };
        seats.iter().map(view).collect()
    }
}

fn result(converged: &Converged, number: u32) -> &SeatResult {
    &converged.outcome.seats[&seat(number)].result
}

#[track_caller]
fn assert_ready(converged: &Converged) {
    assert!(converged.outcome.is_complete(), "{converged:?}");
    for view in &converged.views {
        assert_eq!(view.state, SeatState::Ready, "{converged:?}");
    }
}

const RESET: Mode = Mode::Reset { workspace: false };

#[tokio::test(start_paused = true)]
async fn with_nothing_to_do_there_is_one_look_and_no_call() {
    let world = World::default().with(3);
    let (converged, _) = world.bring(3, Mode::Repair).await;
    assert_ready(&converged);
    assert_eq!(*result(&converged, 1), SeatResult::Unchanged);
    assert_eq!(world.looks(), 1);
    assert_eq!(*world.calls.lock().unwrap(), Vec::<String>::new());
}

#[tokio::test(start_paused = true)]
async fn without_a_fault_there_is_one_round_and_a_look_after_it() {
    let world = World::default();
    let (converged, _) = world.bring(3, Mode::Repair).await;
    assert_ready(&converged);
    assert_eq!(*result(&converged, 3), SeatResult::Done);
    assert_eq!(world.looks(), 2);
    assert_eq!(world.calls("make b1"), 1);
}

#[tokio::test(start_paused = true)]
async fn what_another_look_may_mend_is_planned_anew_and_nobody_hears_of_a_failed_seat() {
    use FailureClass::{Conflict, Connection, NotFound};
    for classes in [vec![Conflict], vec![NotFound; 3], vec![Connection; 12]] {
        let world = World::default().fail("make b2", &classes);
        let (converged, events) = world.bring(3, Mode::Repair).await;
        assert_ready(&converged);
        assert_eq!(*result(&converged, 2), SeatResult::Done);
        assert_eq!(world.calls("make b1"), 1);
        let failed = |event: &Event| match event {
            Event::SeatFailed { .. } => true,
            Event::Finished { failed, .. } => *failed > 0,
            _ => false,
        };
        assert!(!events.iter().any(failed), "{events:?}");
        let deferred = |event: &&Event| matches!(event, Event::SeatDeferred { .. });
        assert!(events.iter().any(|event| deferred(&event)));
    }
}

#[tokio::test(start_paused = true)]
async fn what_no_look_mends_is_not_tried_again() {
    use FailureClass::{Broken, Capacity, Denied, Invalid, Quota};
    for class in [Broken, Capacity, Denied, Invalid, Quota] {
        let world = World::default().fail("open b2", &[class; 9]);
        let (converged, events) = world.bring(3, Mode::Repair).await;
        assert_eq!(*result(&converged, 2), SeatResult::Failed(failure(class)));
        assert_eq!(*result(&converged, 3), SeatResult::Done);
        assert_eq!(world.calls("open b2"), 1);
        let failed = |event: &&Event| matches!(event, Event::SeatFailed { .. });
        assert_eq!(events.iter().filter(failed).count(), 1);
    }
}

#[tokio::test(start_paused = true)]
async fn rounds_have_an_end_and_the_last_failure_is_told() {
    let world = World::default().fail("make b2", &[FailureClass::Conflict; 99]);
    let (converged, events) = world.bring(2, Mode::Repair).await;
    let failed: Vec<SeatNumber> = converged.outcome.failed().map(|(seat, _)| seat).collect();
    assert_eq!(failed, [seat(2)]);
    assert_eq!(world.calls("make b2"), MOST_ROUNDS as usize);
    assert_eq!(world.calls("make f2"), 1);
    let told = |event: &&Event| matches!(event, Event::SeatFailed { .. });
    assert_eq!(events.iter().filter(told).count(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_service_that_broke_while_the_engine_was_gone_has_another_chance() {
    use FailureClass::{Broken, Unreachable};
    // Popped from the end.
    let world = World::default().fail("look c2", &[Broken, Unreachable, Unreachable]);
    let (converged, events) = world.bring(2, Mode::Repair).await;
    assert_ready(&converged);
    let notices: Vec<&String> = events
        .iter()
        .filter_map(|event| match event {
            Event::Notice { message } => Some(message),
            _ => None,
        })
        .collect();
    let said = |words: &str| notices.iter().filter(|said| said.contains(words)).count();
    assert_eq!(said("nobody answers"), 1, "{notices:?}");
    assert_eq!(said("answers again"), 1, "{notices:?}");
    assert_eq!(said("looking again at 1 seat"), 1, "{notices:?}");
}

#[tokio::test(start_paused = true)]
async fn what_vanished_meanwhile_is_made_again() {
    let world = World::default();
    let key = Key::new(ToyKind::Box, "b1");
    world
        .vanishing
        .lock()
        .unwrap()
        .insert("look b2".to_owned(), key);
    let (converged, _) = world.bring(2, Mode::Repair).await;
    assert_ready(&converged);
    assert_eq!(world.calls("make b1"), 2);
    assert_eq!(world.calls("make b2"), 1);
}

#[tokio::test(start_paused = true)]
async fn a_seat_whose_way_is_barred_is_looked_at_once_more() {
    let world = World::default();
    world
        .blocked
        .lock()
        .unwrap()
        .insert(2, (1, "a port is taken"));
    let (converged, _) = world.bring(2, Mode::Repair).await;
    assert_ready(&converged);
    world
        .blocked
        .lock()
        .unwrap()
        .insert(2, (99, "a port is taken"));
    let looks = world.looks();
    let (converged, _) = world.bring(2, Mode::Repair).await;
    let failed: Vec<&Failure> = converged.outcome.failed().map(|(_, why)| why).collect();
    assert_eq!(failed[0].message, "a port is taken");
    assert_eq!(world.looks() - looks, 2);
}

#[tokio::test(start_paused = true)]
async fn a_seat_is_not_reset_twice() {
    let world = World::default()
        .with(2)
        .fail("make b2", &[FailureClass::Conflict; 2]);
    let (converged, _) = world.bring(2, RESET).await;
    assert_ready(&converged);
    world.assert_calls(&[
        ("delete b1", 1),
        ("delete b2", 1),
        ("make b1", 1),
        ("make b2", 3),
    ]);
}

#[tokio::test(start_paused = true)]
async fn a_reset_that_has_not_begun_is_still_made() {
    let world = World::default()
        .with(2)
        .fail("delete b2", &[FailureClass::Conflict; 2]);
    let (converged, _) = world.bring(2, RESET).await;
    assert_ready(&converged);
    world.assert_calls(&[
        ("delete b1", 1),
        ("delete b2", 3),
        ("make b1", 1),
        ("make b2", 1),
    ]);
}

#[tokio::test(start_paused = true)]
async fn of_a_reset_that_stopped_half_way_only_the_rest_is_made() {
    let world = World::default()
        .with(2)
        .fail("delete c2", &[FailureClass::Conflict; 2]);
    let (converged, _) = world.bring(2, RESET).await;
    assert_ready(&converged);
    // By the second round `b2` is new, and somebody may be at work in it.
    world.assert_calls(&[
        ("delete b2", 1),
        ("make b2", 1),
        ("delete c2", 3),
        ("make c2", 1),
    ]);
}

#[tokio::test(start_paused = true)]
async fn a_deletion_that_worked_unheard_is_not_made_again_on_what_is_new() {
    let world = World::default()
        .with(1)
        .fail("delete b1", &[FailureClass::Timeout; MOST_ATTEMPTS])
        .fail("make b1", &[FailureClass::Conflict]);
    let (converged, _) = world.bring(1, RESET).await;
    assert_ready(&converged);
    assert_eq!(world.calls("delete b1"), MOST_ATTEMPTS);
    assert_eq!(world.calls("make b1"), 2);
}

#[tokio::test(start_paused = true)]
async fn a_seat_whose_way_was_barred_is_still_reset_as_a_whole() {
    let world = World::default()
        .with(2)
        .fail("make b2", &[FailureClass::Conflict]);
    world
        .blocked
        .lock()
        .unwrap()
        .insert(1, (1, "a port is taken"));
    let (converged, _) = world.bring(2, RESET).await;
    assert_ready(&converged);
    for (call, times) in [("delete b1", 1), ("delete c1", 1), ("delete b2", 1)] {
        assert_eq!(world.calls(call), times, "{call}");
    }
}

#[tokio::test(start_paused = true)]
async fn an_interruption_of_a_round_is_told_whatever_else_was_to_be_done_in_it() {
    // In the second round seat 1 is reset, late, and nothing is left to do for seat 2.
    let world = World {
        cancel_at: Some(("delete b1".to_owned(), CancellationToken::new())),
        ..World::default()
            .with(2)
            .fail("look b2", &[FailureClass::Timeout; MOST_ATTEMPTS])
    };
    world
        .blocked
        .lock()
        .unwrap()
        .insert(1, (1, "a port is taken"));
    let (converged, _) = world.bring(2, RESET).await;
    assert!(converged.outcome.interrupted);
    assert_eq!(*result(&converged, 1), SeatResult::Interrupted);
    assert_eq!(*result(&converged, 2), SeatResult::Done);
}

#[tokio::test(start_paused = true)]
async fn whoever_does_not_come_back_is_not_waited_for_in_every_round() {
    let world = World::default().fail("make b2", &[FailureClass::Unreachable; 999]);
    let begun = tokio::time::Instant::now();
    let (converged, _) = world.bring(2, Mode::Repair).await;
    assert_eq!(converged.outcome.failed().count(), 1);
    assert!(begun.elapsed().as_secs() < 2 * crate::engine::retry::AWAY.as_secs());
}

#[tokio::test(start_paused = true)]
async fn an_interruption_ends_the_wait_for_one_who_is_gone() {
    let world = World {
        cancel_at: Some(("make b2".to_owned(), CancellationToken::new())),
        ..World::default().fail("make b2", &[FailureClass::Unreachable; 999])
    };
    let begun = tokio::time::Instant::now();
    let (converged, _) = world.bring(2, Mode::Repair).await;
    assert!(converged.outcome.interrupted);
    assert_eq!(*result(&converged, 2), SeatResult::Interrupted);
    assert!(begun.elapsed().as_secs() < 5);
}

#[tokio::test(start_paused = true)]
async fn whether_a_plan_can_be_carried_out_is_asked_once_and_only_where_something_is_created() {
    let world = World::default().fail("make b1", &[FailureClass::Conflict]);
    let (_, events) = world.bring(2, Mode::Repair).await;
    assert!(world.looks() > 2, "there was another round");
    assert_eq!(world.preflights.load(Ordering::Relaxed), 1);
    let told = |event: &&Event| matches!(event, Event::Notice { message } if message.contains("nobody knows"));
    assert_eq!(events.iter().filter(told).count(), 1);
    world.bring(2, Mode::Repair).await;
    assert_eq!(world.preflights.load(Ordering::Relaxed), 1);
}

#[tokio::test(start_paused = true)]
async fn where_a_plan_can_not_be_carried_out_nothing_of_it_is() {
    let world = World {
        refuses: true,
        ..World::default()
    };
    let (refused, _) = world.try_bring(2, Mode::Repair).await;
    let refused = refused.unwrap_err();
    assert_eq!(
        refused.to_string(),
        "nothing was created: room: there is none"
    );
    assert!(world.calls.lock().unwrap().is_empty());
}
