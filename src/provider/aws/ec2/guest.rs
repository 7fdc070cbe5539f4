//! A seat's instance from outside: whether it is set up, and its stack.

use std::time::Duration;

use serde::Deserialize;
use tokio::time::Instant;

use super::guest_bundle::Bundle;
use super::reading::Reading;
use super::ssh::{Host, Output, Ssh};
use crate::engine::{Failure, FailureClass};

/// The scripts of templates/ec2, as they are called.
const STACK: &str = "/usr/local/sbin/seatbox-stack";
const RECEIVE: &str = "/usr/local/sbin/seatbox-receive";

/// What `seatbox-stack` ends with where the answer is: not yet.
const NOT_YET: i32 = 75;

/// How long a question may take.
const QUESTION: Duration = Duration::from_secs(60);

/// How much of what a script says is shown, in characters.
const LONGEST: usize = 300;

/// One instance, and the way to it.
#[derive(Debug, Clone, Copy)]
pub struct Guest<'a> {
    /// How instances are reached.
    pub ssh: &'a Ssh,
    /// Which one.
    pub host: &'a Host,
}

/// A command for a service.
#[derive(Debug, Clone, Copy)]
pub struct Command<'a> {
    /// The service.
    pub service: &'a str,
    /// Where it runs, if not in the container's own directory.
    pub directory: Option<&'a str>,
    /// Variables that it has besides the container's, as `NAME=value`.
    pub variables: &'a [String],
    /// Itself, and its arguments.
    pub argv: &'a [String],
}

/// How far something is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Standing {
    /// As it should be.
    Ready,
    /// Not yet, with what it is at.
    NotYet(String),
    /// It won't be, with what is wrong.
    Broken(String),
}

/// A container of a seat's stack, as `docker compose ps` tells of it.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct Container {
    /// The service.
    pub service: String,
    /// The container's name.
    pub name: String,
    /// `running`, `exited`, `restarting`, …
    pub state: String,
    /// `healthy`, `unhealthy`, `starting`; empty where it has no check.
    #[serde(default)]
    pub health: String,
    /// What it ended with, where it has.
    #[serde(default)]
    pub exit_code: i32,
}

impl Guest<'_> {
    /// Waits until the instance lets us in and has its scripts, until `deadline` at most, and gives
    /// whether it is set up by then. `noted` hears of what is in the way.
    ///
    /// # Errors
    /// What was in the way last.
    pub async fn reachable(
        &self,
        deadline: Instant,
        noted: impl FnMut(&Failure),
    ) -> Result<Standing, Failure> {
        // Not yet installed is an answer; that there is no such command is none.
        let argv = ["sudo", "-n", STACK, "installed"];
        let wait = self
            .ssh
            .wait_until_reachable(self.host, &argv, &[0, NOT_YET], deadline, noted);
        let output = wait.await.map_err(|failure| self.named("reach", failure))?;
        Ok(standing(&output))
    }

    /// Whether Docker and the rest are installed.
    ///
    /// # Errors
    /// The instance was not reached.
    pub async fn installed(&self) -> Result<Standing, Failure> {
        let output = self.ask("installed", QUESTION).await?;
        Ok(standing(&output))
    }

    /// Sends it its stack. The same again changes nothing.
    ///
    /// # Errors
    /// The instance was not reached, or did not take it: the stack that was there is there still.
    pub async fn receive(&self, bundle: &Bundle, patience: Duration) -> Result<(), Failure> {
        let argv = ["sudo", "-n", RECEIVE];
        let output = self.ssh.run(self.host, &argv, bundle.pieces(), patience);
        let output = output
            .await
            .map_err(|failure| self.named("send stack", failure))?;
        match standing(&output) {
            Standing::Ready => Ok(()),
            Standing::NotYet(words) | Standing::Broken(words) => {
                // A stream that broke off, as a rule.
                Err(Failure::new(FailureClass::Connection, "send stack", words))
            }
        }
    }

    /// Starts its stack: images are pulled, and services that others wait for are waited for.
    ///
    /// # Errors
    /// The instance was not reached, or its Compose failed.
    pub async fn up(&self, patience: Duration) -> Result<(), Failure> {
        self.change("up", "start stack", patience).await
    }

    /// Takes its stack away, with every volume but the workspace.
    ///
    /// # Errors
    /// As [`Guest::up`].
    pub async fn down(&self, patience: Duration) -> Result<(), Failure> {
        self.change("down", "remove stack", patience).await
    }

    /// Whether every service is as it should be: running, healthy where it has a check, ended with
    /// success where another waits for that.
    ///
    /// # Errors
    /// The instance was not reached.
    pub async fn ready(&self) -> Result<Standing, Failure> {
        let output = self.ask("ready", QUESTION).await?;
        Ok(standing(&output))
    }

    /// The containers of its stack.
    ///
    /// # Errors
    /// The instance was not reached, or has no stack.
    pub async fn containers(&self) -> Result<Vec<Container>, Failure> {
        let output = self.ask("status", QUESTION).await?;
        let broken = |words| Failure::new(FailureClass::Broken, "look at stack", words);
        match standing(&output) {
            Standing::Ready => {
                containers(&output.stdout).map_err(|error| broken(error.to_string()))
            }
            Standing::NotYet(words) | Standing::Broken(words) => Err(broken(words)),
        }
    }

    /// Runs a command in a service with this process's input and output; gives its exit code.
    ///
    /// # Errors
    /// The instance was not reached.
    pub async fn exec(&self, command: &Command<'_>, tty: bool) -> Result<i32, Failure> {
        let mut all = vec!["sudo", "-n", STACK, "exec"];
        if !tty {
            all.push("-T");
        }
        if let Some(directory) = command.directory {
            all.extend(["--workdir", directory]);
        }
        for variable in command.variables {
            all.extend(["--env", variable]);
        }
        all.push(command.service);
        all.extend(command.argv.iter().map(String::as_str));
        self.ssh.attach(self.host, &all, tty).await
    }

    /// Begins to read what services write, each line with its service before it: all of their lines
    /// unless `options` of `seatbox-stack logs` say otherwise.
    ///
    /// # Errors
    /// ssh does not start.
    pub fn logs(&self, options: &[&str], services: &[&str]) -> Result<Reading, Failure> {
        let all = ["sudo", "-n", STACK, "logs"];
        self.ssh
            .read(self.host, &[&all[..], options, services].concat())
    }

    async fn change(&self, verb: &str, call: &str, patience: Duration) -> Result<(), Failure> {
        let output = self.ask(verb, patience).await?;
        match standing(&output) {
            Standing::Ready => Ok(()),
            Standing::NotYet(words) => Err(Failure::new(FailureClass::Connection, call, words)),
            Standing::Broken(words) => Err(Failure::new(FailureClass::Broken, call, words)),
        }
    }

    async fn ask(&self, verb: &str, patience: Duration) -> Result<Output, Failure> {
        let argv = ["sudo", "-n", STACK, verb];
        let output = self.ssh.run(self.host, &argv, &[], patience).await;
        output.map_err(|failure| self.named(verb, failure))
    }

    /// The failure with what was to be done, which ssh does not know.
    fn named(&self, doing: &str, mut failure: Failure) -> Failure {
        failure.call = format!("{} ({doing})", failure.call);
        failure
    }
}

fn standing(output: &Output) -> Standing {
    let words = String::from_utf8_lossy(&output.stderr);
    // Compose tells of every step, and of what went wrong at the end.
    let last = words.lines().rfind(|line| !line.trim().is_empty());
    let words: String = last.unwrap_or("").trim().chars().take(LONGEST).collect();
    match output.code {
        0 => Standing::Ready,
        NOT_YET => Standing::NotYet(words),
        code if words.is_empty() => Standing::Broken(format!("it ended with {code}")),
        _ => Standing::Broken(words),
    }
}

/// Compose wrote one list up to 2.20, and writes one object a line since.
fn containers(json: &[u8]) -> Result<Vec<Container>, serde_json::Error> {
    if json.trim_ascii().starts_with(b"[") {
        return serde_json::from_slice(json);
    }
    serde_json::Deserializer::from_slice(json)
        .into_iter()
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_forms_of_composes_json_are_read() {
        let one = r#"{"Service":"redis","Name":"e-01-redis-1","State":"running","Health":"healthy","ExitCode":0,"Ports":""}"#;
        let two = r#"{"Service":"web","Name":"e-01-web-1","State":"exited","ExitCode":3}"#;
        let lines = containers(format!("{one}\n{two}\n").as_bytes()).unwrap();
        let list = containers(format!("[{one},{two}]\n").as_bytes()).unwrap();
        assert_eq!(lines, list);
        assert_eq!(lines[0].health, "healthy");
        assert_eq!((lines[1].exit_code, lines[1].health.as_str()), (3, ""));
        assert_eq!(containers(b"").unwrap(), []);
        assert_eq!(containers(b"[]").unwrap(), []);
    }

    #[test]
    fn the_scripts_exit_codes_are_understood() {
        let output = |code, stderr: &str| Output {
            code,
            stdout: Vec::new(),
            stderr: stderr.as_bytes().to_vec(),
        };
        assert_eq!(standing(&output(0, "noise\n")), Standing::Ready);
        let waits = standing(&output(75, "installing Docker\n"));
        assert_eq!(waits, Standing::NotYet("installing Docker".to_owned()));
        let broken = standing(&output(1, "Pulling\nno such image\n\n"));
        assert_eq!(broken, Standing::Broken("no such image".to_owned()));
        let silent = standing(&output(2, ""));
        assert_eq!(silent, Standing::Broken("it ended with 2".to_owned()));
    }
}
