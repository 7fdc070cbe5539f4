//! What is wrong with the caller, or with the region, whatever seats are: one clear error, and nothing
//! is lost.

use std::io::{BufRead as _, BufReader};
use std::process::{Child, Stdio};
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};

use super::ec2::lab::{Lab, Seats};
use crate::support::aws::client::REGION;
use crate::support::desk::Ran;
use crate::support::scale::record;

const PATIENCE: Duration = Duration::from_secs(60);

/// How many errors it tells of.
fn errors(ran: &Ran) -> usize {
    let lines = ran.stderr.lines();
    lines.filter(|line| line.starts_with("error: ")).count()
}

/// A clock that is ten minutes off is named.
pub fn wrong_clock(lab: &Lab) {
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

/// An `up` that has launched something, and is at it.
fn launching(lab: &Lab) -> Child {
    lab.proxy.counts().reset();
    let child = lab
        .command(&["up"])
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let action = match lab.seats {
        Seats::Instances => "RunInstances",
        Seats::Tasks => "RunTask",
    };
    let launched = || lab.proxy.counts().of(action).answered > 0;
    let mut arrived = 1;
    while !launched() {
        assert!(lab.proxy.counts().await_arrival(arrived, PATIENCE));
        arrived += 1;
        std::thread::sleep(Duration::from_millis(5));
    }
    child
}

fn ran(lab: &Lab, child: Child) -> Ran {
    let output = child.wait_with_output().unwrap();
    Ran::new(&lab.command(&["up"]), output)
}

/// Credentials that expire in the midst of it are named, and the next run goes on.
pub fn expired_credentials(lab: &Lab, seats: u32) {
    let child = launching(lab);
    let over = Timestamp::now() - SignedDuration::from_secs(1);
    lab.proxy
        .set(|settings| settings.clock.credentials_end = Some(over));
    let ran = ran(lab, child).exits(1);
    let ran = ran.says(&["expired", "new credentials"]);
    assert_eq!(errors(&ran), 1, "{ran}");
    for verb in ["status", "down"] {
        lab.run(&[verb]).exits(1).says(&["new credentials"]);
    }

    lab.proxy
        .set(|settings| settings.clock.credentials_end = None);
    lab.up();
    lab.assert_ids(seats);
    lab.down();
}

fn silence(lab: &Lab) {
    lab.proxy
        .set(|settings| settings.silent_regions.insert(REGION.to_owned()));
}

fn end_silence(lab: &Lab) {
    lab.proxy.set(|settings| settings.silent_regions.clear());
}

/// A region that does not answer is named.
pub fn silent_region(lab: &Lab) {
    silence(lab);
    let ran = lab.run(&["up"]).exits(4).says(&[REGION]);
    assert_eq!(errors(&ran), 1, "{ran}");
    end_silence(lab);
    lab.assert_nothing_left();
}

/// A region that falls silent in the midst of it is waited for, and named if that is in vain.
pub fn region_that_falls_silent(lab: &Lab, seats: u32) {
    let mut child = launching(lab);
    silence(lab);
    let mut stderr = BufReader::new(child.stderr.take().expect("it is piped")).lines();
    let mut said = stderr.by_ref().map(|line| line.expect("it is text"));
    let notice = said.find(|line| line.contains("nobody answers any more"));
    assert!(notice.is_some_and(|notice| notice.contains(REGION)));
    end_silence(lab);
    let rest = said.collect::<Vec<_>>().join("\n");
    let code = child.wait().unwrap().code();
    assert_eq!(code, Some(0), "{rest}");
    lab.assert_ids(seats);
    lab.down();

    let child = launching(lab);
    silence(lab);
    let ran = ran(lab, child).exits(4).says(&["nobody answers", REGION]);
    assert_eq!(errors(&ran), 1, "{ran}");
    end_silence(lab);
    lab.up();
    lab.assert_ids(seats);
    lab.down();
    record(
        &format!(
            "{}: a region that falls silent in the midst of `up`",
            lab.seats
        ),
        &format!(
            "back in time, {seats} of {seats} ready; for ever, one error, and the next `up` went on"
        ),
    );
}
