//! Faults while a service's first start is made once, and while its copies are.

use std::collections::HashMap;
use std::time::Duration;

use bollard::query_parameters::ListImagesOptions;
use rand::rngs::StdRng;
use rand::{RngExt as _, SeedableRng as _};

use super::calls::a_life;
use super::kill::kill;
use super::restart::until;
use super::two_ups::{assert_fine, start};
use crate::docker::event::Event;
use crate::docker::private_engine::PrivateEngine;
use crate::docker::snapshot::{ASK, OWN, SAYS_PONG, event, forget, snapshot};
use crate::docker::support::IMAGE;
use crate::support::scale::{record, scale, seed};

/// The fewest seats for which a snapshot is made.
const SEATS: u32 = 3;

/// Every seat's database is a copy of one first start, and has the seat's own password.
async fn assert_copies(event: &Event, seats: u32) {
    for seat in 1..=seats {
        let image = &event.seat(seat).await["db"].image;
        assert!(image.starts_with("seatbox.local/snapshot:db-"), "{image}");
        assert_eq!(event.says(seat, "db", "cat /data/first-starts"), event.name);
        assert_eq!(event.says(seat, "db", SAYS_PONG), "PONG", "seat {seat}");
    }
}

/// Takes away the images that kills have left without a name.
async fn forget_unnamed(event: &Event, reference: &str) {
    let filters = [
        ("label", format!("dev.seatbox.snapshot={reference}")),
        ("dangling", "true".to_owned()),
    ];
    let options = ListImagesOptions {
        filters: Some(HashMap::from(
            filters.map(|(name, value)| (name.to_owned(), vec![value])),
        )),
        ..Default::default()
    };
    for image in event.docker.list_images(Some(options)).await.unwrap() {
        forget(event, &image.id).await;
    }
}

/// Takes the event away, and its snapshot with it.
async fn end(event: &Event) {
    let (id, reference) = (
        snapshot(event).await,
        event.seat(1).await["db"].image.clone(),
    );
    event.down().await;
    forget(event, &id).await;
    forget_unnamed(event, &reference).await;
}

#[tokio::test]
async fn two_ups_that_make_one_snapshot_at_once_both_succeed() {
    let event = event("two-snapshots", SEATS, OWN, ASK).await;
    let both = [(); 2].map(|()| start(&event, &["up", "--output", "json"]));
    for up in both {
        assert_fine(&up.wait_with_output().unwrap());
    }
    assert_copies(&event, SEATS).await;
    assert_eq!(event.everything().await.len(), 3 * SEATS as usize);
    event.run(&["up"]).exits(0).says(&["Nothing to change"]);
    end(&event).await;
}

#[tokio::test]
async fn a_run_that_is_killed_while_it_makes_a_snapshot_leaves_none_that_was_not_tried_out() {
    let event = event("kill-snapshot", SEATS, OWN, ASK).await;
    event.up();
    let reference = event.seat(1).await["db"].image.clone();
    let seed = seed();
    let mut random = StdRng::seed_from_u64(seed);
    let rounds = scale(4, 30);
    let (mut kills, mut making) = (0, 0);
    // Luck may let a few of them all come too early or too late.
    while kills < rounds || (making == 0 && kills < 10 * rounds) {
        kills += 1;
        event.down().await;
        forget(&event, &reference).await;
        // It is made first, and takes some seconds.
        let moment = random.random_range(Duration::ZERO..Duration::from_secs(2));
        kill(&event, &["up"], 3, moment);
        let trial = format!("{}-snapshot-", event.name);
        let left = event.containers().await;
        making += usize::from(left.keys().any(|name| name.starts_with(&trial)));
        event.up();
        assert_copies(&event, SEATS).await;
    }
    assert!(making > 0, "no kill came while the snapshot was made");
    event.down().await;
    forget(&event, &reference).await;
    forget_unnamed(&event, &reference).await;
    record(
        "`kill -9` while a snapshot is made",
        &format!(
            "{kills} kills, {making} left a trial of it; each time `up` converged, all copies were of \
             one first start, and `down` left 0 (seed {seed})"
        ),
    );
}

#[tokio::test]
async fn a_snapshot_is_made_and_copied_though_one_call_in_ten_goes_wrong() {
    let rounds = scale(1, 5);
    for _ in 0..rounds {
        let event = event("calls-snapshot", SEATS, OWN, ASK).await;
        let result = a_life(&event, SEATS as usize, (1, 1, 1), 10).await;
        record("10 % of calls, 3 seats of one snapshot", &result);
        // It may have fallen back, but not for a call that could be made again.
        event.up();
        assert_copies(&event, SEATS).await;
        end(&event).await;
    }
}

#[tokio::test]
async fn an_engine_killed_while_it_fills_volumes_leaves_none_half_full() {
    const FILES: &str = "20000";
    let mut engine = PrivateEngine::start().await;
    engine.load(IMAGE).await;
    let event = event("half", SEATS, OWN, ASK).await;
    let many = format!("mkdir /data/many; cd /data/many; seq {FILES} | split -l 1 -a 4; cd /;");
    let stack = std::fs::read_to_string(event.desk.path("stack.yaml")).unwrap();
    event.stack(&stack.replace(
        "printf %s \"$$PASS\" > /data/pass\n",
        &format!("printf %s \"$$PASS\" > /data/pass; {many}\n"),
    ));
    let event = event.on(&engine);
    // The snapshot, three volumes and three networks are there, and containers are created: that is
    // when an engine fills their volumes.
    let (up, rest) = until(&event, &["up"], 7);
    tokio::time::sleep(Duration::from_millis(900)).await;
    engine.kill();
    engine.start_again().await;
    let output = up.wait_with_output().unwrap();
    let rest = rest.join().unwrap();
    assert_eq!(output.status.code(), Some(0), "{rest}");
    assert_copies(&event, SEATS).await;
    for seat in 1..=SEATS {
        let files = event.says(seat, "db", "ls /data/many | wc -l");
        assert_eq!(files, FILES, "seat {seat}\n{rest}");
    }
    event.down().await;
}
