//! What ssh's own words mean. It has one exit code for everything, so that its words are all there
//! is to go by; they are taken from its log, where no command's words are among them.

use std::io;

use crate::engine::{Failure, FailureClass};
use crate::provider::ssh::one_line;

/// The call that fails.
pub const CALL: &str = "ssh";

/// How much of what ssh says is shown, in characters.
const LONGEST: usize = 300;

/// The failure that ssh's log tells of; none where it says nothing, so that it was the command that
/// ended so.
pub fn failure(log: &[u8]) -> Option<Failure> {
    let log = String::from_utf8_lossy(log);
    // What it says on the way, of which nothing follows.
    let told: Vec<&str> = log
        .lines()
        .filter(|line| !line.starts_with("Warning: Permanently added"))
        .filter(|line| !line.starts_with("** "))
        .collect();
    let words = one_line(told.join("\n").as_bytes());
    if words.is_empty() {
        return None;
    }
    let (class, hint) = judge(&words);
    // The end of it is what came last.
    let surplus = words.chars().count().saturating_sub(LONGEST);
    let message: String = words.chars().skip(surplus).collect();
    let failure = Failure::new(class, CALL, message);
    Some(match hint {
        Some(hint) => failure.with_hint(hint),
        None => failure,
    })
}

/// The failure of a session that ended before its command did, where a command's error output ends
/// with it: that alone ssh does not write to its log.
pub fn lost(stderr: &[u8]) -> Option<Failure> {
    let words = String::from_utf8_lossy(stderr);
    let last = words.lines().next_back()?.trim();
    let gone = last.starts_with("Connection to ") && last.ends_with(" closed by remote host.");
    let silent = last.starts_with("Timeout, server ") && last.ends_with(" not responding.");
    (gone || silent).then(|| Failure::new(FailureClass::Connection, CALL, last))
}

/// That there is no ssh, as a rule.
pub fn not_started(error: &io::Error) -> Failure {
    Failure::new(
        FailureClass::Invalid,
        CALL,
        format!("ssh can't be started: {error}"),
    )
    .with_hint("install OpenSSH's client (Debian and Ubuntu: openssh-client)")
}

fn judge(words: &str) -> (FailureClass, Option<&'static str>) {
    let has = |pieces: &[&str]| pieces.iter().any(|piece| words.contains(piece));
    if has(&[
        "HOST IDENTIFICATION HAS CHANGED",
        "Host key verification failed",
    ]) {
        return (
            FailureClass::Conflict,
            Some(
                "another machine answers at the instance's address, or somebody stands in between; \
                 look at the host key in the instance's console output, and where that is the new \
                 one, delete the instance's line from the environment's known_hosts",
            ),
        );
    }
    if has(&["Permission denied", "Too many authentication failures"]) {
        return (
            FailureClass::Denied,
            Some("the seat was made with another event key than this machine has, or by hand"),
        );
    }
    if has(&[
        "Bad configuration option",
        "terminating,",
        "Can't open user config file",
    ]) {
        return (FailureClass::Invalid, Some("check ec2.ssh_config"));
    }
    // Before a session began.
    if has(&[
        "ssh: connect to host",
        "Could not resolve hostname",
        "kex_exchange_identification",
        "banner exchange",
        "Connection closed by",
        "Connection reset by",
    ]) {
        return (
            FailureClass::Unreachable,
            Some(
                "an instance answers some minutes after its launch, and only addresses that are in \
                 aws.venue; `seatbox status` shows how the seat is",
            ),
        );
    }
    (FailureClass::Connection, None)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn class(log: &str) -> Option<FailureClass> {
        failure(log.as_bytes()).map(|failure| failure.class)
    }

    #[test]
    fn ssh_that_says_nothing_did_not_fail() {
        assert_eq!(class(""), None);
        assert_eq!(
            class("Warning: Permanently added 'i-1' (ED25519) to the list of known hosts.\r\n"),
            None
        );
    }

    #[test]
    fn an_instance_that_boots_is_unreachable() {
        for words in [
            "ssh: connect to host 192.0.2.1 port 22: Connection refused\r\n",
            "ssh: connect to host 192.0.2.1 port 22: Connection timed out\r\n",
            "ssh: connect to host 192.0.2.1 port 22: No route to host\r\n",
            "Connection timed out during banner exchange\r\nConnection to 192.0.2.1 port 22 timed out",
            "kex_exchange_identification: read: Connection reset by peer",
            "Connection closed by UNKNOWN port 65535\r\n",
        ] {
            assert_eq!(class(words), Some(FailureClass::Unreachable), "{words}");
        }
    }

    #[test]
    fn what_waiting_does_not_mend_is_told_apart_and_has_a_hint() {
        for (words, class) in [
            (
                "seat@192.0.2.1: Permission denied (publickey).",
                FailureClass::Denied,
            ),
            (
                "@@@@\n@ WARNING: REMOTE HOST IDENTIFICATION HAS CHANGED! @\n@@@@\n\
                 Host key verification failed.",
                FailureClass::Conflict,
            ),
            (
                "/c: line 1: Bad configuration option: nonsense\r\n/c: terminating, 1 bad \
                 configuration options",
                FailureClass::Invalid,
            ),
        ] {
            let failure = failure(words.as_bytes()).unwrap();
            assert_eq!(failure.class, class);
            assert!(failure.hint.is_some());
        }
    }

    #[test]
    fn a_session_that_broke_may_have_done_its_work() {
        let broke = failure(b"client_loop: send disconnect: Broken pipe\r\n").unwrap();
        assert_eq!(broke.class, FailureClass::Connection);
        for words in [
            "Connection to 192.0.2.1 closed by remote host.\r\n",
            "half a line\nTimeout, server 192.0.2.1 not responding.\r\n",
        ] {
            let class = lost(words.as_bytes()).map(|failure| failure.class);
            assert_eq!(class, Some(FailureClass::Connection), "{words}");
        }
        assert_eq!(
            lost(b"Connection to the database closed by remote host\n"),
            None
        );
        assert_eq!(lost(b""), None);
    }
}
