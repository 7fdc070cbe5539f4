//! Our limiter against AWS's buckets, with calls that overtake each other and others in the account.

use std::collections::HashMap;
use std::fmt;
use std::time::Duration;

use futures_util::future::join_all;
use rand::rngs::StdRng;
use rand::{RngExt as _, SeedableRng as _};

use super::bucket::TokenBucket;
use super::governor::{Count, Margin};
use super::limiter::Limiter;
use super::simulate::{After, Aws, Demand, LATENCY, Simulation, at_best, expected};
use super::table::{Action, Bucket, BucketName, Manner, Service, draws};

/// How often a bucket is filled.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Filling {
    /// As time goes by.
    Steady,
    /// Once a second, with all that came in since.
    EachSecond,
}

/// AWS as it documents itself: what arrives when a bucket has too little is throttled.
struct Judge {
    buckets: HashMap<BucketName, TokenBucket>,
    filling: Filling,
    /// The part of each bucket's rate that others use, call by call.
    others: f64,
    chance: StdRng,
}

impl Judge {
    fn new(filling: Filling, others: f64, seed: u64) -> Self {
        Self {
            buckets: HashMap::new(),
            filling,
            others,
            chance: StdRng::seed_from_u64(seed),
        }
    }
}

impl Aws for Judge {
    /// Between a tenth and nine tenths of the latency there, and as much back. Of fifty calls one takes
    /// a whole latency more: the first of a connection, or a packet that was lost.
    fn travel(&mut self, latency: Duration) -> (Duration, Duration) {
        let mut part = || latency.mul_f64(self.chance.random_range(0.1..0.9));
        let (there, back) = (part(), part());
        let late = self.chance.random_bool(0.02);
        (there + if late { latency } else { Duration::ZERO }, back)
    }

    fn admits(&mut self, action: Action, units: u32, now: Duration) -> bool {
        let now = match self.filling {
            Filling::Steady => now,
            // Its seconds are not ours.
            Filling::EachSecond => {
                Duration::from_secs((now + Duration::from_millis(370)).as_secs())
            }
        };
        let draws: Vec<_> = draws(action)
            .into_iter()
            .map(|draw| (draw, draw.cost.of(units)))
            .collect();
        let others = self.others;
        for (draw, _) in &draws {
            self.buckets.entry(draw.name).or_insert_with(|| {
                // What others take at a steady rate is a rate that is not there.
                TokenBucket::full(Bucket {
                    refill_per_second: draw.bucket.refill_per_second * (1.0 - others),
                    ..draw.bucket
                })
            });
        }
        let enough = draws
            .iter()
            .all(|(draw, n)| self.buckets[&draw.name].wait(*n, now).is_zero());
        if enough {
            for (draw, n) in draws {
                if let Some(bucket) = self.buckets.get_mut(&draw.name) {
                    bucket.take(n, now);
                }
            }
        }
        enough
    }
}

const fn ec2(name: &'static str) -> Action {
    Action::new(Service::Ec2, name)
}

const fn ecs(name: &'static str) -> Action {
    Action::new(Service::Ecs, name)
}

/// A network, made one call after the other.
fn network(demands: &mut Vec<Demand>) {
    for name in [
        "CreateVpc",
        "CreateInternetGateway",
        "AttachInternetGateway",
        "CreateSubnet",
        "CreateSubnet",
        "DescribeRouteTables",
        "CreateRoute",
        "CreateSecurityGroup",
        "AuthorizeSecurityGroupIngress",
    ] {
        let call = Demand::new(ec2(name), 1);
        demands.push(match demands.len() {
            0 => call,
            before => call.after(After::All(before - 1)),
        });
    }
}

/// Seats of EC2, up: batches of up to 100 instances, then looks until all run.
fn ec2_seats(seats: u32) -> Vec<Demand> {
    let mut demands = Vec::new();
    network(&mut demands);
    let batches = seats.div_ceil(100);
    let run = Demand {
        units_per_call: seats.div_ceil(batches),
        ..Demand::new(ec2("RunInstances"), batches)
    };
    demands.push(run.after(After::All(demands.len() - 1)));
    looks(&mut demands, ec2("DescribeInstances"), seats.div_ceil(1000));
    demands
}

/// Seats of ECS, up, with a parameter each, and a task definition each or one for all.
fn ecs_seats(seats: u32, definitions: u32, parameters: u32) -> Vec<Demand> {
    let mut demands = Vec::new();
    network(&mut demands);
    let network = After::All(demands.len() - 1);
    let put = demands.len();
    demands.push(Demand::new(
        Action::new(Service::Ssm, "PutParameter"),
        parameters,
    ));
    let register = demands.len();
    demands.push(Demand::new(ecs("RegisterTaskDefinition"), definitions).after(After::Each(put)));
    let run = ecs("RunTask").called(Manner::Fargate);
    let definitions_first = match definitions {
        1 => After::All(register),
        _ => After::Each(register),
    };
    demands.push(
        Demand::new(run, seats)
            .after(network)
            .after(After::Each(put))
            .after(definitions_first),
    );
    looks(&mut demands, ecs("DescribeTasks"), seats.div_ceil(100));
    demands
}

/// A network, taken away.
fn no_network(demands: &mut Vec<Demand>) {
    for name in [
        "DetachInternetGateway",
        "DeleteInternetGateway",
        "DeleteSubnet",
        "DeleteSubnet",
        "DeleteSecurityGroup",
        "DeleteVpc",
    ] {
        let before = After::All(demands.len() - 1);
        demands.push(Demand::new(ec2(name), 1).after(before));
    }
}

/// Seats of ECS, down.
fn ecs_down(seats: u32) -> Vec<Demand> {
    let delete_parameter = Action::new(Service::Ssm, "DeleteParameter");
    let mut demands = vec![
        Demand::new(delete_parameter, seats),
        Demand::new(ecs("DeregisterTaskDefinition"), seats).after(After::Each(0)),
        Demand::new(ecs("DeleteTaskDefinitions"), seats.div_ceil(10)).after(After::Each(1)),
        Demand::new(ecs("StopTask"), seats),
    ];
    looks(&mut demands, ecs("DescribeTasks"), seats.div_ceil(100));
    no_network(&mut demands);
    demands
}

/// Seats of EC2, down.
fn ec2_down(seats: u32) -> Vec<Demand> {
    let batches = seats.div_ceil(100);
    let end = Demand {
        units_per_call: seats.div_ceil(batches),
        ..Demand::new(ec2("TerminateInstances"), batches)
    };
    let mut demands = vec![end];
    looks(&mut demands, ec2("DescribeInstances"), seats.div_ceil(1000));
    no_network(&mut demands);
    demands
}

/// Two looks of so many pages, each page after the one before it, as EC2's are.
fn looks(demands: &mut Vec<Demand>, action: Action, pages: u32) {
    for _ in 0..2 {
        let page = |calls| Demand {
            at_once: 1,
            ..Demand::new(action, calls)
        };
        let first = Demand {
            pause: Duration::from_millis(500),
            ..page(1)
        };
        let before = After::All(demands.len() - 1);
        demands.push(first.after(before));
        let before = After::All(demands.len() - 1);
        demands.push(page(pages - 1).after(before));
    }
}

/// Seats of some kind, up or down.
fn workloads(seats: u32) -> [(&'static str, Vec<Demand>); 6] {
    [
        ("ec2", ec2_seats(seats)),
        ("ecs, one definition", ecs_seats(seats, 1, 0)),
        ("ecs, definitions", ecs_seats(seats, seats, 0)),
        (
            "ecs, definitions and secrets",
            ecs_seats(seats, seats, seats),
        ),
        ("ec2, down", ec2_down(seats)),
        ("ecs, down", ecs_down(seats)),
    ]
}

/// What came of a workload, and what might have.
struct Run {
    name: String,
    at_best: f64,
    expected: f64,
    took: f64,
    calls: u64,
    throttled: u64,
}

impl fmt::Display for Run {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            name,
            at_best,
            expected,
            took,
            calls,
            throttled,
        } = self;
        write!(f, "{name}: {took:.2} s, expected {expected:.2} s, at best ")?;
        write!(f, "{at_best:.2} s; {throttled} of {calls} calls throttled")
    }
}

/// All workloads for so many seats, with calls that take `latency`.
fn runs(seats: u32, latency: Duration, filling: Filling, others: f64) -> Vec<Run> {
    let run = |(name, mut demands): (&str, Vec<Demand>)| {
        for demand in &mut demands {
            demand.latency = latency;
        }
        let judge = Judge::new(filling, others, u64::from(seats));
        let mut simulation = Simulation::new(&demands, Margin::OURS, judge);
        simulation.run();
        let counts: Vec<Count> = simulation.governor.counts().map(|(_, n)| n).collect();
        Run {
            name: format!("{seats} seats of {name}"),
            at_best: at_best(&demands).as_secs_f64(),
            expected: expected(&demands).as_secs_f64(),
            took: simulation.took.as_secs_f64(),
            calls: counts.iter().map(|count| count.calls).sum(),
            throttled: counts.iter().map(|count| count.throttled).sum(),
        }
    };
    workloads(seats).into_iter().map(run).collect()
}

/// What was asked for: within 1.15 × of what the buckets allow, fewer than 2% throttled, and near to
/// what was foretold.
fn holds(runs: &[Run]) {
    for run in runs {
        println!("{run}");
        assert!(run.throttled * 50 < run.calls, "{run}");
        assert!(run.expected <= 1.15 * run.at_best, "{run}");
        assert!(run.took <= 1.15 * run.at_best, "{run}");
        assert!((run.took / run.expected - 1.0).abs() < 0.1, "{run}");
    }
}

#[test]
fn alone_in_an_account_nearly_nothing_is_throttled_and_little_time_is_lost() {
    for seats in [23, 200, 1_000, 10_000] {
        holds(&runs(seats, LATENCY, Filling::Steady, 0.0));
    }
}

#[test]
fn a_slow_line_changes_nothing_of_that() {
    for seats in [23, 200, 1_000] {
        holds(&runs(seats, 3 * LATENCY, Filling::Steady, 0.0));
    }
}

#[test]
fn others_who_use_little_are_not_felt() {
    for seats in [23, 200, 1_000] {
        holds(&runs(seats, LATENCY, Filling::Steady, 0.04));
    }
}

#[test]
fn others_who_use_much_get_it_and_what_is_left_is_used() {
    for others in [0.3, 0.5] {
        for run in [23, 200, 1_000]
            .into_iter()
            .flat_map(|seats| runs(seats, LATENCY, Filling::Steady, others))
        {
            println!("{run}");
            assert!(run.took <= 1.1 * run.at_best / (1.0 - others), "{run}");
            assert!(run.throttled * 10 <= run.calls, "{run}");
        }
    }
}

/// AWS writes that tokens come every second. Taken by the word, there is at worst a second's fewer than
/// one reckons with, which a few calls find out.
#[test]
fn tokens_that_come_once_a_second_cost_few_throttles_and_no_storm() {
    for seats in [23, 200, 1_000] {
        for run in runs(seats, LATENCY, Filling::EachSecond, 0.0) {
            println!("{run}");
            let most = if seats == 23 { 2.0 } else { 1.2 };
            assert!(run.took <= most * run.at_best, "{run}");
            assert!(run.throttled <= 3 + run.calls / 40, "{run}");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn the_limiter_takes_as_long_as_was_foretold() {
    let run = ecs("RunTask").called(Manner::Fargate);
    let foretold = expected(&[Demand::new(run, 300)]);
    let limiter = Limiter::new();
    let start = tokio::time::Instant::now();
    let calls = (0..300).map(|_| async {
        let permit = limiter.acquire(run, 1).await;
        tokio::time::sleep(LATENCY).await;
        permit.passed();
    });
    join_all(calls).await;
    // Tokio's clock ticks in milliseconds.
    let off = start.elapsed().abs_diff(foretold);
    assert!(off <= Duration::from_millis(2), "{off:?}");
}
