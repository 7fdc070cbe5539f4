use std::fmt;
use std::path::Path;
use std::time::Duration;

use serde::Serialize;

use super::*;
use crate::bundle::fixture::Fixture;
use crate::bundle::{self, Brought, Bundle, LoadedImage, Saved};
use crate::engine::{
    ActionLabel, Event, Failure, FailureClass, Outcome, Phase, SeatOutcome, SeatResult,
};
use crate::model::seat::{Owner, SeatState};
use crate::model::stack::{ContainerPort, Protocol};
use crate::model::{EnvironmentName, SeatNumber};
use crate::plan::{Action, Blocked, Cause, Key, Kind, Lane, Operation, Plan, Scheme, Step};
use crate::report::view::{
    CertificateView, ImageFrom, ImageView, LookAgain, PortView, Scope, SeatView, SecondLook, Seen,
    ServiceView, Thing,
};

const SCHEMA_FILE: &str = "schemas/output-v1.schema.json";

/// Set to write the file anew instead of comparing it.
const WRITE: &str = "SEATBOX_WRITE_SCHEMAS";

fn seat(number: u32) -> SeatNumber {
    SeatNumber::new(number).unwrap()
}

fn environment() -> EnvironmentName {
    "gopher-guangzhou-2024".parse().unwrap()
}

fn failure() -> Failure {
    Failure::new(FailureClass::NotFound, "get image", "it is nowhere").with_hint("build it")
}

/// The document as JSON, after making sure that it is what the schema's definition says.
fn checked(definition: &str, document: &impl Serialize) -> Value {
    let mut schema = schema();
    schema.as_object_mut().unwrap().remove("anyOf");
    schema["$ref"] = json!(format!("#/$defs/{definition}"));
    let validator = jsonschema::validator_for(&schema).unwrap();
    let value = serde_json::to_value(document).unwrap();
    let errors: Vec<String> = validator
        .iter_errors(&value)
        .map(|error| format!("{}: {error}", error.instance_path()))
        .collect();
    assert!(errors.is_empty(), "{errors:#?}\n{value:#}");
    assert_eq!(value["version"], 1);
    // The schema must say something: nothing at all is no such document.
    assert!(
        !validator.is_valid(&json!({})),
        "{definition} allows everything"
    );
    value
}

#[test]
fn the_schema_file_is_up_to_date() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(SCHEMA_FILE);
    let mut text = serde_json::to_string_pretty(&schema()).unwrap();
    text.push('\n');
    if std::env::var_os(WRITE).is_some() {
        std::fs::write(&path, &text).unwrap();
    }
    let file = std::fs::read_to_string(&path).unwrap();
    assert!(
        file == text,
        "{SCHEMA_FILE} is out of date; write it with\n{WRITE}=1 cargo test --lib the_schema_file"
    );
}

#[test]
fn every_event_is_as_the_schema_says() {
    let action = || ActionLabel {
        id: 3,
        seat: Some(seat(7)),
        kind: "container".to_owned(),
        name: "seatbox-x-07-redis".to_owned(),
        service: Some("redis".parse().unwrap()),
        verb: "start".to_owned(),
        cause: "missing".to_owned(),
    };
    let events = [
        Event::Started {
            phase: Phase::Up,
            actions: 4,
            seats: vec![(seat(7), 4)],
        },
        Event::ActionStarted { action: action() },
        Event::ActionProgress {
            action: ActionLabel {
                seat: None,
                service: None,
                ..action()
            },
            message: "pulling".to_owned(),
            done: Some(1),
            total: None,
        },
        Event::ActionRetried {
            action: action(),
            failure: failure(),
            pause_ms: 200,
        },
        Event::ActionFinished {
            action: action(),
            took_ms: 1,
        },
        Event::ActionFailed {
            action: action(),
            failure: failure(),
        },
        Event::SeatFinished {
            seat: seat(7),
            after_ms: 6200,
        },
        Event::SeatFailed {
            seat: seat(7),
            failure: failure(),
        },
        Event::SeatDeferred {
            seat: seat(7),
            failure: failure(),
        },
        Event::Notice {
            message: "广州".to_owned(),
        },
        Event::Finished {
            phase: Phase::Down,
            took_ms: 1,
            failed: 1,
            interrupted: false,
        },
    ];
    let at = "2024-10-19T01:00:00Z".parse().unwrap();
    for event in &events {
        let line = EventLine::new(event, at);
        let value = checked("EventLine", &line);
        // The names that are promised are those that the events go by inside.
        assert_eq!(
            value["event"],
            serde_json::to_value(event).unwrap()["event"]
        );
    }
    assert_eq!(
        serde_json::to_string(&EventLine::new(&events[6], at)).unwrap(),
        r#"{"version":1,"at":"2024-10-19T01:00:00Z","event":"seat-finished","seat":7,"after_ms":6200}"#
    );
}

fn view(number: u32, state: SeatState) -> SeatView {
    SeatView {
        seat: seat(number),
        group: 1,
        state,
        services: vec![ServiceView {
            service: "redis".parse().unwrap(),
            id: Some("seatbox-x-07-redis".to_owned()),
            state: "exited".to_owned(),
            problem: Some("exit code 137".to_owned()),
        }],
        address: Some("10.77.0.2".parse().unwrap()),
        ports: vec![PortView {
            service: "redis".parse().unwrap(),
            port: ContainerPort {
                number: 6379,
                protocol: Protocol::Tcp,
            },
            address: "127.0.0.1".parse().unwrap(),
            host_port: 20001,
        }],
        expires: Some("2024-10-20T12:00:00Z".parse().unwrap()),
        took: None,
    }
}

#[test]
fn an_up_tells_what_came_of_each_seat() {
    let mut outcome = Outcome {
        shared: vec![failure()],
        took: Duration::from_millis(6500),
        ..Outcome::default()
    };
    let results = [
        SeatResult::Done,
        SeatResult::Failed(failure()),
        SeatResult::Unchanged,
    ];
    for (number, result) in (1..).zip(results) {
        let took = Duration::from_millis(6200);
        outcome
            .seats
            .insert(seat(number), SeatOutcome { result, took });
    }
    let seats = [
        view(1, SeatState::Ready),
        view(2, SeatState::Absent),
        view(3, SeatState::Ready),
    ];
    let value = checked(
        "UpReport",
        &UpReport::new(&environment(), None, &seats, &outcome),
    );
    assert_eq!(value["expires"], Value::Null);
    assert_eq!(value["took_ms"], 6500);
    assert_eq!(value["shared_failures"][0]["class"], "not-found");
    assert_eq!(value["seats"][0]["result"], "done");
    assert_eq!(value["seats"][0]["took_ms"], 6200);
    assert_eq!(value["seats"][0]["failure"], Value::Null);
    assert_eq!(
        value["seats"][0]["ports"][0],
        json!({"service": "redis", "port": 6379, "protocol": "tcp", "address": "127.0.0.1", "host_port": 20001})
    );
    assert_eq!(value["seats"][1]["state"], "absent");
    assert_eq!(
        value["seats"][1]["failure"],
        json!({"class": "not-found", "call": "get image", "message": "it is nowhere", "hint": "build it"})
    );
    assert_eq!(value["seats"][2]["took_ms"], Value::Null);
}

#[test]
fn a_status_counts_its_seats() {
    let mut early = view(2, SeatState::Degraded);
    early.expires = Some("2024-10-19T12:00:00Z".parse().unwrap());
    let seats = [view(1, SeatState::Ready), early];
    let value = checked(
        "StatusReport",
        &StatusReport::new(&environment(), &seats, &[]),
    );
    assert_eq!(
        value["counts"],
        json!({"total": 2, "ready": 1, "starting": 0, "degraded": 1, "absent": 0})
    );
    assert_eq!(value["expires"], "2024-10-19T12:00:00Z");
    assert_eq!(value["seats"][1]["services"][0]["problem"], "exit code 137");
}

#[derive(Debug, Clone)]
struct Toy;

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
struct Box;

#[derive(Debug, Clone)]
struct Look;

impl Scheme for Toy {
    type Kind = Box;
    type Step = Look;
}

impl fmt::Display for Box {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("box")
    }
}

impl Kind for Box {
    fn delete_lane(self) -> Lane {
        Look.lane()
    }
}

impl fmt::Display for Look {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("look at")
    }
}

impl Step for Look {
    fn lane(&self) -> Lane {
        Lane::new("all", 1)
    }

    fn is_check(&self) -> bool {
        true
    }
}

#[test]
fn a_plan_tells_each_action_and_what_is_in_the_way() {
    let action = |id, owner, operation, cause, after| Action::<Toy> {
        id,
        owner,
        key: Key::new(Box, "b"),
        service: None,
        operation,
        cause,
        after,
    };
    let plan = Plan {
        actions: vec![
            action(
                0,
                Owner::Shared,
                Operation::Delete("4f2a".into()),
                Cause::Down,
                Vec::new(),
            ),
            action(
                1,
                Owner::Seat(seat(7)),
                Operation::Bring(Look),
                Cause::Missing,
                vec![0],
            ),
        ],
        seats: vec![seat(7), seat(8)],
        blocked: vec![Blocked {
            seat: seat(8),
            reason: "port 20049 is taken".to_owned(),
        }],
        notices: vec!["seat 09 is beyond the count".to_owned()],
    };
    let value = checked(
        "PlanReport",
        &PlanReport::new(Some(&environment()), &plan, &[]),
    );
    assert_eq!(value["changes"], 1);
    assert_eq!(
        value["actions"],
        json!([
            {"id": 0, "seat": null, "region": null, "kind": "box", "name": "b", "service": null, "verb": "delete", "cause": "down", "check": false, "after": []},
            {"id": 1, "seat": 7, "region": null, "kind": "box", "name": "b", "service": null, "verb": "look at", "cause": "missing", "check": true, "after": [0]},
        ])
    );
    assert_eq!(
        value["blocked"],
        json!([{"seat": 8, "reason": "port 20049 is taken"}])
    );
}

#[test]
fn a_certificate_is_clean_only_after_two_empty_looks() {
    let thing = || Thing {
        region: None,
        environment: environment(),
        seat: Some(seat(7)),
        kind: "network".to_owned(),
        name: "seat".to_owned(),
        id: "4f2a".into(),
    };
    let at = "2024-10-20T12:00:00Z".parse().unwrap();
    let mut view = CertificateView {
        environments: vec![environment()],
        scope: Scope::Seats(vec![seat(7)]),
        found: vec![thing()],
        deleted: vec![thing()],
        failed: Vec::new(),
        kept: vec![(thing(), "not past its time".to_owned())],
        looks: vec![LookAgain { at, found: 0 }; 2],
        second: None,
        unseen: Vec::new(),
        started: at,
        finished: at,
    };
    let value = checked("Certificate", &Certificate::from(&view));
    assert_eq!(value["clean"], true);
    assert_eq!(value["scope"], json!({"of": "seats", "seats": [7]}));
    assert_eq!(value["kept"][0]["name"], "seat");
    assert_eq!(value["second_look"], json!(null));
    view.second = Some(SecondLook {
        at,
        seen: Ok(Seen { listed: 7, left: 0 }),
    });
    let value = checked("Certificate", &Certificate::from(&view));
    assert_eq!(value["clean"], true);
    assert_eq!(
        value["second_look"],
        json!({"by": "tagging-api", "at": "2024-10-20T12:00:00Z", "made": true, "listed": 7,
            "gone": 7, "left": 0, "failure": null})
    );
    view.second = Some(SecondLook {
        at,
        seen: Err(failure()),
    });
    let value = checked("Certificate", &Certificate::from(&view));
    assert_eq!(value["second_look"]["made"], false);
    assert_eq!(value["second_look"]["failure"]["call"], "get image");
    view.looks[1].found = 1;
    view.failed.push((thing(), failure()));
    for scope in [Scope::Environments, Scope::Expired, Scope::Everything] {
        view.scope = scope;
        let value = checked("Certificate", &Certificate::from(&view));
        assert_eq!(value["clean"], false);
        assert_eq!(value["failed"][0]["failure"]["call"], "get image");
    }
}

#[test]
fn a_bundle_tells_what_is_in_it_and_what_came_of_its_images() {
    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(file.path(), Fixture::new().bytes()).unwrap();
    let bundle = Bundle::open(file.path()).unwrap();
    let saved = Saved {
        path: "t.seatbox".into(),
        size: 7,
        digest: bundle.digest.clone(),
        manifest: bundle.manifest.clone(),
    };
    let value = checked("SaveReport", &SaveReport::new(&saved));
    assert_eq!(value["size"], 7);
    assert_eq!(value["bundle"]["environment"], "t-bundle");
    assert_eq!(value["bundle"]["digest"], bundle.digest);
    assert_eq!(value["bundle"]["images"][0], "seatbox.local/redis:7");

    let image = |outcome| LoadedImage {
        wanted: vec!["redis:7".to_owned()],
        reference: "seatbox.local/bundle:0123456789ab".to_owned(),
        id: "sha256:0123456789abcdef".to_owned(),
        outcome,
        instead_of: Some("redis:7".to_owned()),
    };
    let images = [
        bundle::Outcome::Loaded,
        bundle::Outcome::Named,
        bundle::Outcome::Present,
    ];
    let brought = Brought {
        images: images.map(image).to_vec(),
        bytes: 12,
    };
    let value = checked("LoadReport", &LoadReport::new(&bundle, &brought));
    assert_eq!(value["sent"], 12);
    let told: Vec<_> = value["images"]
        .as_array()
        .unwrap()
        .iter()
        .map(|image| image["outcome"].as_str().unwrap())
        .collect();
    assert_eq!(told, ["loaded", "named", "present"]);
    assert_eq!(value["images"][0]["instead_of"], "redis:7");
}

#[test]
fn images_tell_where_they_come_from() {
    let image = |from| ImageView {
        image: "redis:7".to_owned(),
        reference: "seatbox.local/redis:7".to_owned(),
        from,
        verb: "build".to_owned(),
        reasons: vec!["the registry does not answer".to_owned()],
    };
    let images = [
        image(ImageFrom::Engine),
        image(ImageFrom::Registry),
        image(ImageFrom::Recipe),
        image(ImageFrom::Nowhere),
    ];
    let value = checked("ImagesReport", &ImagesReport::new(&images));
    let told: Vec<_> = value["images"]
        .as_array()
        .unwrap()
        .iter()
        .map(|image| {
            (
                image["from"].as_str().unwrap(),
                image["present"].as_bool().unwrap(),
            )
        })
        .collect();
    assert_eq!(
        told,
        [
            ("engine", true),
            ("registry", false),
            ("recipe", false),
            ("nowhere", false)
        ]
    );
}
