//! The main job: the event that is shipped, from nothing to 23 seats and back to nothing.

use std::collections::BTreeMap;

use super::event::{Event, results};
use crate::support::schema::assert_output;

const SEATS: u32 = 23;

/// Passes where the seat is as a participant expects it; says what is not otherwise.
const CHECK: &str = r#"
fail() { echo "$*" >&2; exit 1; }
version=$(go version) || fail "no go"
case $version in *' go1.23'*) ;; *) fail "$version";; esac
[ "$(psql -w -tAc 'select 1')" = 1 ] || fail "no login with the password of the seat"
! PGPASSWORD=wrong psql -w -tAc 'select 1' 2>/dev/null || fail "a login with a wrong password"
! PGPASSWORD=$OTHER psql -w -tAc 'select 1' 2>/dev/null || fail "a login with another seat's password"
[ "$(redis-cli --no-auth-warning -u "$REDIS_URL" ping)" = PONG ] || fail "no PONG with the password"
case $(env -u REDISCLI_AUTH redis-cli -h redis ping 2>&1) in *NOAUTH*) ;; *) fail "Redis asks for no password";; esac
[ -s README.md ] && [ -s 01-hello/main.go ] && [ -x 01-hello/verify.sh ] || fail "files are missing: $(ls)"
"#;

#[tokio::test]
async fn up_brings_23_seats_that_work_and_down_leaves_nothing_of_them() {
    let event = Event::shipped("whole", SEATS).await;

    let report = event.up();
    let seats: Vec<u64> = report["seats"]
        .as_array()
        .unwrap()
        .iter()
        .map(|seat| seat["seat"].as_u64().unwrap())
        .collect();
    assert_eq!(seats, (1..=u64::from(SEATS)).collect::<Vec<_>>());
    assert_eq!(results(&report), ["done"]);
    // Groups of 12, so the 13th seat begins the second.
    assert_eq!(report["seats"][11]["group"], 1);
    assert_eq!(report["seats"][12]["group"], 2);

    let passwords = passwords(&event);
    let mut distinct: Vec<&String> = passwords.values().collect();
    distinct.sort();
    distinct.dedup();
    assert_eq!(
        distinct.len(),
        SEATS as usize,
        "two seats have one password"
    );
    each_seat(&event, |event, seat| {
        let other = &passwords[&(seat % SEATS + 1)];
        event.says(seat, "workspace", &format!("OTHER={other}\n{CHECK}"));
    });

    // The first lab is not done yet, and says so in its own words.
    let lab = event.sh(1, "workspace", "./01-hello/verify.sh");
    assert!(lab.all().contains("01:"), "{lab}");

    let before = event.containers().await;
    let again = event.up();
    assert_eq!(results(&again), ["unchanged"]);
    assert_eq!(
        event.containers().await,
        before,
        "a second `up` touched something"
    );
    event
        .run(&["up"])
        .exits(0)
        .says(&["Nothing to change", "23"]);
    event
        .run(&["up", "--dry-run"])
        .exits(0)
        .says(&["nothing to change"]);
    // Whatever the engine has not checked yet at its own interval.
    let status = event.run(&["status", "--output", "json"]).exits(0).json();
    assert_output(&status, "StatusReport");
    assert_eq!(status["counts"]["ready"], 23);

    let everything = event.everything().await.len();
    let certificate = event.down().await;
    assert_eq!(certificate["found"].as_array().unwrap().len(), everything);
    assert_eq!(certificate["deleted"].as_array().unwrap().len(), everything);
    event.run(&["status"]).exits(3).says(&["absent"]);
    event.run(&["down"]).exits(0);
}

/// The PostgreSQL password of each seat, as its workspace has it.
fn passwords(event: &Event) -> BTreeMap<u32, String> {
    let found = std::sync::Mutex::new(BTreeMap::new());
    each_seat(event, |event, seat| {
        let password = event.says(seat, "workspace", "printenv PGPASSWORD");
        found.lock().unwrap().insert(seat, password);
    });
    found.into_inner().unwrap()
}

/// Does something with every seat, a few at once.
fn each_seat(event: &Event, work: impl Fn(&Event, u32) + Sync) {
    const AT_ONCE: u32 = 4;
    std::thread::scope(|scope| {
        for first in 1..=AT_ONCE {
            let work = &work;
            scope.spawn(move || {
                for seat in (first..=SEATS).step_by(AT_ONCE as usize) {
                    work(event, seat);
                }
            });
        }
    });
}
