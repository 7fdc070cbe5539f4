//! What is wrong with the caller, or with the region: one clear error, and nothing is lost.

use std::process::Stdio;
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};

use super::lab::Lab;
use crate::support::aws::client::REGION;
use crate::support::desk::Ran;

const PATIENCE: Duration = Duration::from_secs(60);

/// How many errors it tells of.
fn errors(ran: &Ran) -> usize {
    let lines = ran.stderr.lines();
    lines.filter(|line| line.starts_with("error: ")).count()
}

#[test]
fn a_clock_that_is_ten_minutes_off_is_named() {
    let lab = Lab::new("clock", 2);
    for minutes in [-10, 10] {
        lab.proxy
            .set(|settings| settings.clock.ahead = SignedDuration::from_mins(minutes));
        for verb in ["up", "status", "down"] {
            let ran = lab.run(&[verb]).exits(1);
            let ran = ran.says(&["this machine's clock is ", "timedatectl"]);
            assert_eq!(errors(&ran), 1, "{ran}");
        }
    }
    lab.assert_nothing_left();
}

#[test]
fn credentials_that_expire_in_the_midst_of_it_are_named_and_the_next_run_goes_on() {
    let lab = Lab::new("credentials", 4);
    lab.proxy.counts().reset();
    let child = lab
        .command(&["up"])
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let launched = || lab.proxy.counts().of("RunInstances").answered > 0;
    let mut arrived = 1;
    while !launched() {
        assert!(lab.proxy.counts().await_arrival(arrived, PATIENCE));
        arrived += 1;
        std::thread::sleep(Duration::from_millis(5));
    }
    let over = Timestamp::now() - SignedDuration::from_secs(1);
    lab.proxy
        .set(|settings| settings.clock.credentials_end = Some(over));
    let output = child.wait_with_output().unwrap();
    let ran = Ran::new(&lab.command(&["up"]), output).exits(1);
    let ran = ran.says(&["expired", "new credentials"]);
    assert_eq!(errors(&ran), 1, "{ran}");
    for verb in ["status", "down"] {
        lab.run(&[verb]).exits(1).says(&["new credentials"]);
    }

    lab.proxy
        .set(|settings| settings.clock.credentials_end = None);
    lab.up();
    lab.assert_seats(4);
    lab.down();
}

#[test]
fn a_region_that_does_not_answer_is_named() {
    let lab = Lab::new("silent", 2);
    lab.proxy
        .set(|settings| settings.silent_regions.insert(REGION.to_owned()));
    let ran = lab.run(&["up"]).exits(4).says(&[REGION]);
    assert_eq!(errors(&ran), 1, "{ran}");
    lab.proxy.set(|settings| settings.silent_regions.clear());
    lab.assert_nothing_left();
}
