//! `up` puts right just what is not as it should be.

use bollard::query_parameters::{RemoveImageOptionsBuilder, TagImageOptions};

use super::event::{Event, SMALL, results};
use super::support::{IMAGE, remove_container};
use crate::support::schema::assert_output;

/// Two services that have nothing to do with each other.
const TWO: &str = "
services:
  one: {image: 'seatbox.local/redis:7', entrypoint: [], command: [sleep, infinity], init: true}
  two: {image: 'seatbox.local/redis:7', entrypoint: [], command: [sleep, infinity], init: true}
";

/// What came of each seat, by its number.
fn result(report: &serde_json::Value, seat: usize) -> &str {
    report["seats"][seat - 1]["result"].as_str().unwrap()
}

#[tokio::test]
async fn a_second_up_changes_nothing_and_says_so() {
    let event = Event::new("again", 2, SMALL).await;
    event.run(&["up"]).exits(0).says(&["2 seats are ready"]);
    let before = event.containers().await;
    assert_eq!(before.len(), 4);
    event.run(&["up"]).exits(0).says(&["Nothing to change"]);
    assert_eq!(results(&event.up()), ["unchanged"]);
    assert_eq!(event.containers().await, before);
    let plan = event.run(&["plan", "--output", "json"]).exits(0).json();
    assert_output(&plan, "PlanReport");
    assert_eq!(plan["changes"], 0);
    event.down().await;
}

#[tokio::test]
async fn a_removed_container_comes_back_and_its_neighbours_stay() {
    let event = Event::new("removed", 2, SMALL).await;
    event.up();
    event.says(1, "redis", "redis-cli set kept yes && redis-cli save");
    let before = event.containers().await;
    let gone = event.container(1, "redis");
    remove_container(&event.docker, &gone).await;
    event
        .run(&["plan"])
        .exits(0)
        .says(&["seat 01", &gone, "missing"]);
    let status = event.run(&["status", "--output", "json"]).exits(3).json();
    assert_eq!(status["counts"]["degraded"], 1, "{status:#}");
    let report = event.up();
    assert_eq!(
        (result(&report, 1), result(&report, 2)),
        ("done", "unchanged")
    );
    let mut after = event.containers().await;
    assert_ne!(after[&gone].id, before[&gone].id);
    after.insert(gone.clone(), before[&gone].clone());
    assert_eq!(after, before, "more than the removed container was touched");
    // Its volume was not.
    assert_eq!(event.says(1, "redis", "redis-cli get kept"), "yes");
    event.down().await;
}

#[tokio::test]
async fn another_image_recreates_just_the_service_that_has_it() {
    let event = Event::new("image", 1, TWO).await;
    let tag = format!("seatbox.local/{}", event.name);
    let options = TagImageOptions {
        repo: Some(tag.clone()),
        tag: Some("2".to_owned()),
    };
    event.docker.tag_image(IMAGE, Some(options)).await.unwrap();
    let reference = format!("{tag}:2");
    event.up();
    let before = event.seat(1).await;
    event.stack(&TWO.replacen("seatbox.local/redis:7", &reference, 1));
    let after = async {
        event.up();
        event.seat(1).await
    }
    .await;
    let options = RemoveImageOptionsBuilder::new().noprune(true).build();
    event
        .docker
        .remove_image(&reference, Some(options), None)
        .await
        .unwrap();
    assert_ne!(after["one"].id, before["one"].id);
    assert_eq!(after["one"].image, reference);
    assert_eq!(after["two"], before["two"]);
    event.down().await;
}

#[tokio::test]
async fn a_raised_count_adds_the_new_seats_and_a_lowered_one_keeps_the_excess_with_a_word() {
    let event = Event::new("count", 1, SMALL).await;
    event.up();
    let first = event.containers().await;
    event.describe(3, "");
    let report = event.up();
    assert_eq!(result(&report, 1), "unchanged");
    assert_eq!((result(&report, 2), result(&report, 3)), ("done", "done"));
    assert_eq!(event.seat(1).await.len(), 2);
    let three = event.containers().await;
    assert!(first.iter().all(|(name, seen)| three[name] == *seen));
    assert_eq!(three.len(), 6);

    event.describe(1, "");
    event
        .run(&["up"])
        .exits(0)
        .says(&["2 seats beyond", "--seats 2-3"]);
    assert_eq!(
        event.containers().await,
        three,
        "`up` touched seats beyond the count"
    );
    // The advice works, though the file does not know these seats any more.
    event.run(&["down", "--seats", "2-3"]).exits(0);
    assert_eq!(event.containers().await, first);
    event.down().await;
}

#[tokio::test]
async fn a_service_that_left_the_stack_goes_and_the_others_stay() {
    let event = Event::new("service", 1, TWO).await;
    event.up();
    let before = event.seat(1).await;
    event.stack(TWO.lines().take(3).collect::<Vec<_>>().join("\n").as_str());
    event.run(&["plan"]).exits(0).says(&[
        &event.container(1, "two"),
        "not in the environment any more",
    ]);
    event.up();
    let after = event.seat(1).await;
    assert_eq!(after.len(), 1);
    assert_eq!(after["one"], before["one"]);
    event.down().await;
}

#[tokio::test]
async fn only_the_seats_that_are_named_are_brought_up() {
    let event = Event::new("named", 5, TWO).await;
    let report = event
        .run(&["up", "--seats", "2,4-", "--output", "json"])
        .exits(0)
        .json();
    let seats: Vec<u64> = report["seats"]
        .as_array()
        .unwrap()
        .iter()
        .map(|seat| seat["seat"].as_u64().unwrap())
        .collect();
    assert_eq!(seats, [2, 4, 5]);
    assert_eq!(event.containers().await.len(), 6);
    let status = event.run(&["status", "--output", "json"]).exits(3).json();
    assert_eq!(status["counts"]["absent"], 2);
    event
        .run(&["up", "--seats", "6"])
        .exits(2)
        .says(&["no seat 6"]);
    event.down().await;
}
