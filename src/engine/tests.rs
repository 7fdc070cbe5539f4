//! Walking plans whose calls are made by a script.

use std::collections::HashMap;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use tokio_util::sync::CancellationToken;

use super::*;
use crate::model::SeatNumber;
use crate::model::seat::Owner;
use crate::plan::tests::{Toy, ToyKind, ToyStep};
use crate::plan::{Action, Cause, Key, Operation, Plan};

/// Makes no calls: it notes them, and fails where it was told to.
#[derive(Default)]
struct Script {
    calls: Mutex<Vec<usize>>,
    failures: Mutex<HashMap<usize, Vec<Failure>>>,
    under_way: AtomicUsize,
    most: AtomicUsize,
    cancel_at: Option<(usize, CancellationToken)>,
    together: Mutex<Vec<Vec<usize>>>,
    takes: HashMap<usize, Duration>,
}

impl Apply<Toy> for Script {
    async fn apply(&self, action: &Action<Toy>, _: &Progress) -> Result<(), Failure> {
        let now = self.under_way.fetch_add(1, Ordering::SeqCst) + 1;
        self.most.fetch_max(now, Ordering::SeqCst);
        self.calls.lock().unwrap().push(action.id);
        if let Some((id, token)) = &self.cancel_at
            && *id == action.id
        {
            token.cancel();
        }
        match self.takes.get(&action.id) {
            Some(takes) => tokio::time::sleep(*takes).await,
            None => tokio::task::yield_now().await,
        }
        self.under_way.fetch_sub(1, Ordering::SeqCst);
        match self
            .failures
            .lock()
            .unwrap()
            .get_mut(&action.id)
            .and_then(Vec::pop)
        {
            Some(failure) => Err(failure),
            None => Ok(()),
        }
    }

    async fn apply_together(
        &self,
        actions: &[&Action<Toy>],
        _: &Progress,
    ) -> Result<Vec<Result<(), Failure>>, Failure> {
        let ids: Vec<usize> = actions.iter().map(|action| action.id).collect();
        self.together.lock().unwrap().push(ids.clone());
        let mut failures = self.failures.lock().unwrap();
        let mut failure = |id: &usize| failures.get_mut(id).and_then(Vec::pop);
        let results: Vec<_> = ids
            .iter()
            .map(|id| failure(id).map_or(Ok(()), Err))
            .collect();
        match results
            .iter()
            .flat_map(|result| result.as_ref().err())
            .next()
        {
            Some(failure) if failure.class.is_retryable() => Err(failure.clone()),
            _ => Ok(results),
        }
    }
}

fn seat(number: u32) -> SeatNumber {
    SeatNumber::new(number).unwrap()
}

/// A plan of three chained actions for each of `seats` seats.
fn chains(seats: u32) -> Plan<Toy> {
    let mut plan = Plan::empty();
    for number in 1..=seats {
        for step in 0..3usize {
            let id = plan.actions.len();
            plan.actions.push(Action {
                id,
                owner: Owner::Seat(seat(number)),
                key: Key::new(ToyKind::Box, format!("b{number}")),
                service: None,
                operation: Operation::Bring(ToyStep::Make),
                cause: Cause::Missing,
                after: if step == 0 { vec![] } else { vec![id - 1] },
            });
        }
        plan.seats.push(seat(number));
    }
    plan
}

fn broken(class: FailureClass) -> Failure {
    Failure::new(class, "make", "it broke")
}

async fn walk(plan: &Plan<Toy>, script: &Script, cancel: &CancellationToken) -> Outcome {
    let (events, _receiver) = Events::channel();
    run(plan, script, Phase::Up, Afterwards::Report, &events, cancel).await
}

#[tokio::test]
async fn every_action_is_made_once_and_after_those_it_comes_after() {
    let (plan, script) = (chains(4), Script::default());
    let outcome = walk(&plan, &script, &CancellationToken::new()).await;
    assert!(outcome.is_complete());
    assert_eq!(outcome.done, 12);
    let calls = script.calls.into_inner().unwrap();
    let place = |id: usize| calls.iter().position(|call| *call == id).unwrap();
    for action in &plan.actions {
        for earlier in &action.after {
            assert!(place(*earlier) < place(action.id));
        }
    }
}

#[tokio::test]
async fn a_lane_is_never_fuller_than_its_width() {
    let (plan, script) = (chains(20), Script::default());
    walk(&plan, &script, &CancellationToken::new()).await;
    assert_eq!(script.most.into_inner(), 2);
}

#[tokio::test]
async fn what_is_earlier_in_the_plan_begins_earlier_whatever_its_lane() {
    for _ in 0..20 {
        let (mut plan, script) = (shipments(4), Script::default());
        for id in [1, 3] {
            plan.actions[id].operation = Operation::Bring(ToyStep::Make);
        }
        plan.actions[2].operation = Operation::Bring(ToyStep::Ship(2));
        walk(&plan, &script, &CancellationToken::new()).await;
        assert_eq!(script.calls.into_inner().unwrap(), [0, 1, 2, 3]);
    }
}

#[tokio::test]
async fn a_seat_that_fails_stops_no_other_and_nothing_that_depends_on_it_is_tried() {
    let (plan, script) = (chains(3), Script::default());
    script
        .failures
        .lock()
        .unwrap()
        .insert(4, vec![broken(FailureClass::Broken)]);
    let outcome = walk(&plan, &script, &CancellationToken::new()).await;
    let failed: Vec<SeatNumber> = outcome.failed().map(|(seat, _)| seat).collect();
    assert_eq!(failed, [seat(2)]);
    assert_eq!(outcome.seats[&seat(3)].result, SeatResult::Done);
    assert!(!script.calls.into_inner().unwrap().contains(&5));
}

#[tokio::test(start_paused = true)]
async fn a_broken_connection_is_tried_again_and_a_refusal_is_not() {
    let (plan, script) = (chains(2), Script::default());
    let lost = vec![broken(FailureClass::Connection); 2];
    script.failures.lock().unwrap().insert(0, lost);
    script
        .failures
        .lock()
        .unwrap()
        .insert(3, vec![broken(FailureClass::Invalid); 2]);
    let outcome = walk(&plan, &script, &CancellationToken::new()).await;
    assert_eq!(outcome.seats[&seat(1)].result, SeatResult::Done);
    let calls = script.calls.into_inner().unwrap();
    assert_eq!(calls.iter().filter(|id| **id == 0).count(), 3);
    assert_eq!(calls.iter().filter(|id| **id == 3).count(), 1);
}

#[tokio::test(start_paused = true)]
async fn trying_again_has_an_end() {
    let (plan, script) = (chains(1), Script::default());
    let lost = vec![broken(FailureClass::Timeout); 50];
    script.failures.lock().unwrap().insert(0, lost);
    let outcome = walk(&plan, &script, &CancellationToken::new()).await;
    assert_eq!(outcome.failed().count(), 1);
    assert_eq!(
        script.calls.into_inner().unwrap().len(),
        retry::MOST_ATTEMPTS
    );
}

#[tokio::test]
async fn what_is_shared_and_fails_fails_every_seat_that_depends_on_it() {
    let mut plan = chains(2);
    plan.actions[0].owner = Owner::Shared;
    plan.actions[3].after = vec![0];
    let script = Script::default();
    script
        .failures
        .lock()
        .unwrap()
        .insert(0, vec![broken(FailureClass::NotFound)]);
    let outcome = walk(&plan, &script, &CancellationToken::new()).await;
    assert_eq!(outcome.failed().count(), 2);
    assert_eq!(outcome.shared.len(), 1);
}

#[tokio::test]
async fn after_an_interruption_nothing_begins_and_the_outcome_says_so() {
    let plan = chains(5);
    let token = CancellationToken::new();
    let script = Script {
        cancel_at: Some((0, token.clone())),
        ..Script::default()
    };
    let outcome = walk(&plan, &script, &token).await;
    assert!(outcome.interrupted);
    assert_eq!(outcome.done, 2);
    assert_eq!(outcome.seats[&seat(5)].result, SeatResult::Interrupted);
}

#[tokio::test]
async fn events_tell_of_each_seat_once() {
    let (plan, script) = (chains(2), Script::default());
    script
        .failures
        .lock()
        .unwrap()
        .insert(4, vec![broken(FailureClass::Broken)]);
    let (events, mut receiver) = Events::channel();
    run(
        &plan,
        &script,
        Phase::Up,
        Afterwards::Report,
        &events,
        &CancellationToken::new(),
    )
    .await;
    drop(events);
    let (mut finished, mut failed) = (Vec::new(), Vec::new());
    while let Some(event) = receiver.recv().await {
        match event {
            Event::SeatFinished { seat, .. } => finished.push(seat),
            Event::SeatFailed { seat, .. } => failed.push(seat),
            _ => {}
        }
    }
    assert_eq!((finished, failed), (vec![seat(1)], vec![seat(2)]));
}

/// A plan of one action for each of the seats, of which those with an odd number go together.
fn shipments(seats: u32) -> Plan<Toy> {
    let mut plan = chains(seats);
    plan.actions.retain(|action| action.after.is_empty());
    for (id, action) in plan.actions.iter_mut().enumerate() {
        action.id = id;
        action.operation = Operation::Bring(ToyStep::Ship(id as u64 % 2));
    }
    plan
}

#[tokio::test]
async fn one_call_serves_as_many_as_it_may_of_those_that_go_together() {
    let (plan, script) = (shipments(9), Script::default());
    let outcome = walk(&plan, &script, &CancellationToken::new()).await;
    assert!(outcome.is_complete());
    assert_eq!(outcome.done, 9);
    let mut together = script.together.into_inner().unwrap();
    together.sort();
    assert_eq!(together, [vec![0, 2, 4], vec![1, 3, 5], vec![6, 8]]);
    // One that goes alone needs no call for several.
    assert_eq!(script.calls.into_inner().unwrap(), [7]);
}

/// Two seats that gather, the second one after the action 2, which takes so long.
async fn gather(
    takes: Duration,
    script: Script,
    cancel: &CancellationToken,
) -> (Outcome, Script, Duration) {
    let mut plan = shipments(3);
    for (action, step) in
        plan.actions
            .iter_mut()
            .zip([ToyStep::Gather, ToyStep::Gather, ToyStep::Make])
    {
        action.operation = Operation::Bring(step);
    }
    plan.actions[1].after = vec![2];
    let script = Script {
        takes: HashMap::from([(2, takes)]),
        ..script
    };
    let begun = tokio::time::Instant::now();
    let outcome = walk(&plan, &script, cancel).await;
    (outcome, script, begun.elapsed())
}

const SOON: Duration = Duration::from_millis(50);
const LATE: Duration = Duration::from_millis(500);

#[tokio::test(start_paused = true)]
async fn actions_of_a_lane_that_lingers_go_together_once_all_that_may_come_are_there() {
    let (_, script, took) = gather(SOON, Script::default(), &CancellationToken::new()).await;
    assert_eq!(script.together.into_inner().unwrap(), [[0, 1]]);
    assert_eq!(took.as_millis(), SOON.as_millis());
}

#[tokio::test(start_paused = true)]
async fn a_lane_that_lingers_has_an_end_and_holds_up_nobody_who_is_the_last() {
    let (_, script, took) = gather(LATE, Script::default(), &CancellationToken::new()).await;
    assert_eq!(script.calls.into_inner().unwrap(), [2, 0, 1]);
    assert_eq!(took.as_millis(), LATE.as_millis());
}

#[tokio::test]
async fn what_depends_on_two_that_are_given_up_is_given_up_once() {
    let mut plan = shipments(4);
    for (action, after) in plan
        .actions
        .iter_mut()
        .zip([vec![], vec![0], vec![0], vec![1, 2]])
    {
        action.after = after;
    }
    let script = Script::default();
    let failure = vec![broken(FailureClass::Broken)];
    script.failures.lock().unwrap().insert(0, failure);
    let outcome = walk(&plan, &script, &CancellationToken::new()).await;
    assert_eq!(outcome.failed().count(), 4);
    assert_eq!(script.calls.into_inner().unwrap(), [0]);
}

#[tokio::test(start_paused = true)]
async fn nobody_waits_for_what_was_given_up() {
    let failures = HashMap::from([(2, vec![broken(FailureClass::Broken)])]);
    let script = Script {
        failures: Mutex::new(failures),
        ..Script::default()
    };
    let (outcome, script, took) = gather(SOON, script, &CancellationToken::new()).await;
    assert_eq!(outcome.done, 1);
    assert_eq!(script.calls.into_inner().unwrap(), [2, 0]);
    assert_eq!(took.as_millis(), SOON.as_millis());
}

#[tokio::test(start_paused = true)]
async fn whoever_waits_for_others_does_not_begin_after_an_interruption() {
    let token = CancellationToken::new();
    let interrupt = async {
        tokio::time::sleep(SOON).await;
        token.cancel();
    };
    let ((outcome, script, _), ()) =
        tokio::join!(gather(LATE, Script::default(), &token), interrupt);
    assert!(outcome.interrupted);
    assert_eq!(script.calls.into_inner().unwrap(), [2]);
}

#[tokio::test(start_paused = true)]
async fn of_those_that_one_call_serves_each_has_its_own_result_and_all_are_tried_again() {
    let (plan, script) = (shipments(5), Script::default());
    let mut failures = HashMap::new();
    failures.insert(0, vec![broken(FailureClass::Capacity)]);
    failures.insert(1, vec![broken(FailureClass::Timeout)]);
    *script.failures.lock().unwrap() = failures;
    let outcome = walk(&plan, &script, &CancellationToken::new()).await;
    let failed: Vec<SeatNumber> = outcome.failed().map(|(seat, _)| seat).collect();
    assert_eq!(failed, [seat(1)]);
    let mut together = script.together.into_inner().unwrap();
    together.sort();
    assert_eq!(together, [vec![0, 2, 4], vec![1, 3], vec![1, 3]]);
}

#[tokio::test(start_paused = true)]
async fn one_who_is_gone_for_good_is_waited_for_once_and_not_by_each_who_queues() {
    let plan = chains(20);
    let script = Script::default();
    for id in 0..plan.actions.len() {
        let failures = vec![broken(FailureClass::Unreachable); 999];
        script.failures.lock().unwrap().insert(id, failures);
    }
    let begun = tokio::time::Instant::now();
    let outcome = walk(&plan, &script, &CancellationToken::new()).await;
    assert_eq!(outcome.failed().count(), 20);
    assert!(begun.elapsed() < 2 * retry::AWAY, "{:?}", begun.elapsed());
}
