//! A seat's key and the system's ssh, against a real server.

use std::time::Duration;

use bytes::Bytes;
use seatbox::engine::FailureClass;
use seatbox::model::SeatNumber;
use seatbox::provider::aws::ec2::guest::{Guest, Standing};
use seatbox::secret::{EventKey, SshKey};
use tokio::time::Instant;

use super::bundle::bundle;
use super::instance::{Instance, make_executable};
use super::sshd::{Sshd, host};

const PATIENCE: Duration = Duration::from_secs(30);

fn key(seat: u32) -> SshKey {
    let key = EventKey::from_bytes([1; 32]);
    let seat = SeatNumber::new(seat).unwrap();
    SshKey::derive(&key, &"lab".parse().unwrap(), seat, 0)
}

fn started() -> Sshd {
    let mut sshd = Sshd::new(&key(7));
    sshd.start();
    sshd
}

#[tokio::test]
async fn a_command_gets_its_words_and_its_input_and_its_output_comes_back() {
    let sshd = started();
    let (ssh, host) = (sshd.ssh(), host("i-1", &key(7)));
    let input = [Bytes::from(vec![b'x'; 300_000]), Bytes::from("yz")];
    let script = "wc -c; printf '%s\\n' \"$1\"; echo oops >&2; exit 7";
    let argv = ["sh", "-c", script, "sh", "it's \"50%\" of $HOME\\"];
    let output = ssh.run(&host, &argv, &input, PATIENCE).await.unwrap();
    assert_eq!(output.code, 7);
    let stdout = String::from_utf8(output.stdout).unwrap();
    assert_eq!(stdout, "300002\nit's \"50%\" of $HOME\\\n");
    assert_eq!(output.stderr, b"oops\n");

    // Input that nobody reads is no failure, and neither is ssh's own code from a command.
    let output = ssh
        .run(&host, &["sh", "-c", "exit 255"], &input, PATIENCE)
        .await;
    assert_eq!(output.unwrap().code, 255);
    let attached = ssh.attach(&host, &["sh", "-c", "exit 9"], false).await;
    assert_eq!(attached.unwrap(), 9);
}

#[tokio::test]
async fn another_seats_key_is_refused() {
    let sshd = started();
    let failure = sshd
        .ssh()
        .run(&host("i-1", &key(8)), &["true"], &[], PATIENCE)
        .await
        .unwrap_err();
    assert_eq!(failure.class, FailureClass::Denied, "{failure:?}");
    assert!(failure.hint.unwrap().contains("event key"));
}

#[tokio::test]
async fn an_instance_that_shows_another_host_key_is_not_trusted() {
    let mut sshd = started();
    let ssh = sshd.ssh();
    let run = async |id| ssh.run(&host(id, &key(7)), &["true"], &[], PATIENCE).await;
    run("i-1").await.unwrap();
    run("i-1").await.unwrap();
    let known = std::fs::read_to_string(&ssh.known_hosts).unwrap();
    assert_eq!(known.lines().count(), 1, "{known}");
    assert!(known.starts_with("i-1 ssh-ed25519 "), "{known}");

    sshd.stop();
    sshd.new_host_key();
    sshd.start();
    let failure = run("i-1").await.unwrap_err();
    assert_eq!(failure.class, FailureClass::Conflict, "{failure:?}");
    assert!(failure.hint.unwrap().contains("host key"));
    // Another instance at the same address is no surprise.
    run("i-2").await.unwrap();
}

#[tokio::test]
async fn an_instance_that_boots_is_waited_for() {
    let mut sshd = Sshd::new(&key(7));
    let (ssh, host) = (sshd.ssh(), host("i-1", &key(7)));
    let failure = ssh.run(&host, &["true"], &[], PATIENCE).await.unwrap_err();
    assert_eq!(failure.class, FailureClass::Unreachable, "{failure:?}");

    let soon = Instant::now() + Duration::from_secs(3);
    let early = ssh.wait_until_reachable(&host, &["true"], &[0], soon, |_| {});
    assert_eq!(early.await.unwrap_err().class, FailureClass::Unreachable);

    let mut noted = 0;
    let wait = ssh.wait_until_reachable(
        &host,
        &["true"],
        &[0],
        Instant::now() + PATIENCE,
        |failure| {
            assert_eq!(failure.class, FailureClass::Unreachable);
            noted += 1;
            sshd.start();
        },
    );
    wait.await.unwrap();
    assert_eq!(noted, 1);
}

#[tokio::test]
async fn a_connection_that_is_lost_leaves_it_open_what_became_of_the_command() {
    let sshd = started();
    let (ssh, host) = (sshd.ssh(), host("i-1", &key(7)));
    // The server's process of this session is the shell's parent.
    let argv = ["sh", "-c", "kill -9 $PPID; sleep 5"];
    let failure = ssh.run(&host, &argv, &[], PATIENCE).await.unwrap_err();
    assert!(failure.class.is_retryable(), "{failure:?}");

    let short = Duration::from_secs(1);
    let failure = ssh.run(&host, &["sleep", "30"], &[], short).await;
    assert_eq!(failure.unwrap_err().class, FailureClass::Timeout);
}

/// An instance behind the server: its scripts answer to `sudo`.
fn instance(sshd: &Sshd) -> Instance {
    let instance = Instance::new();
    instance.command(
        "docker",
        "case $1 in inspect) echo app running 0 none ;; *) echo 1 ;; esac",
    );
    let script = format!(
        "#!/bin/sh\nPATH='{}':$PATH SEATBOX_STATE='{}' exec sh \"{}$2\" \"$3\"\n",
        instance.desk.path("bin").display(),
        instance.at("var/lib/seatbox").display(),
        instance.at("").display(),
    );
    let path = sshd.bin().join("sudo");
    std::fs::create_dir_all(sshd.bin()).unwrap();
    std::fs::write(&path, script).unwrap();
    make_executable(&path);
    instance
}

#[tokio::test]
async fn a_stack_is_sent_to_an_instance_and_looked_after() {
    let sshd = started();
    let (ssh, host) = (sshd.ssh(), host("i-1", &key(7)));
    let instance = instance(&sshd);
    let guest = Guest {
        ssh: &ssh,
        host: &host,
    };
    guest
        .reachable(Instant::now() + PATIENCE, |_| {})
        .await
        .unwrap();
    let standing = guest.installed().await.unwrap();
    assert_eq!(standing, Standing::NotYet("waiting".to_owned()));
    instance.desk.write("root/var/lib/seatbox/installed", "");
    assert_eq!(guest.installed().await.unwrap(), Standing::Ready);

    let standing = guest.ready().await.unwrap();
    assert_eq!(
        standing,
        Standing::NotYet("no stack has come yet".to_owned())
    );
    let bundle = bundle("lab", "services: {app: {image: 'app:1'}}\n").await;
    guest.receive(&bundle, PATIENCE).await.unwrap();
    guest.up(PATIENCE).await.unwrap();
    assert_eq!(guest.ready().await.unwrap(), Standing::Ready);
    assert!(
        instance
            .calls()
            .contains(" up --detach --remove-orphans --force-recreate\n")
    );
    // The same again restarts nothing.
    guest.receive(&bundle, PATIENCE).await.unwrap();
    guest.up(PATIENCE).await.unwrap();
    assert!(
        instance
            .calls()
            .ends_with(" up --detach --remove-orphans\n")
    );
    guest.down(PATIENCE).await.unwrap();
    assert!(
        instance
            .calls()
            .ends_with(" down --volumes --remove-orphans\n")
    );

    instance.command("docker", "echo 'no space left on device' >&2; exit 1");
    let failure = guest.up(PATIENCE).await.unwrap_err();
    assert_eq!(failure.class, FailureClass::Broken);
    assert_eq!(failure.message, "no space left on device");
}
