//! What runs in a seat's instance, over SSH: nothing secret is in user data, which everybody reads
//! who may describe the instance, and an instance has no credentials to fetch secrets with.

use std::path::PathBuf;
use std::time::Duration;

use aws_sdk_ec2::types::Tag as Ec2Tag;
use aws_smithy_types::base64;
use tokio::time::{Instant, sleep};

use super::Watch;
use super::guest::{Guest, Standing};
use super::guest_bundle::guest_bundle;
use super::guest_data::{self, GuestSettings, USER, user_data};
use super::ssh::{Host, Ssh};
use crate::engine::{Failure, FailureClass, Progress};
use crate::model::{Environment, SeatNumber};
use crate::provider::aws::Session;
use crate::provider::aws::limits::Action;
use crate::provider::aws::scheme::StackSpec;
use crate::provider::aws::tags::{GOING, STACK};
use crate::provider::values::seat_values;
use crate::provider::workspace::WorkspaceSource;
use crate::secret::{EventKey, SshKey};

/// How long an instance may take to let us in, and to install what it needs.
const BOOT: Duration = Duration::from_secs(900);
/// The pause between two questions whether a stack is ready.
const PAUSE: Duration = Duration::from_secs(2);

/// Brings stacks to instances.
pub struct Stacks<'a> {
    /// Where.
    pub session: &'a Session,
    /// What runs there.
    pub environment: &'a Environment,
    /// Where seats' secrets come from.
    pub key: &'a EventKey,
    /// The keys that instances showed when they were first reached.
    pub known_hosts: PathBuf,
    /// Who looks on at instances.
    pub watch: &'a Watch,
    /// The workspace's first files, fetched when the first instance wants them.
    pub workspace: &'a WorkspaceSource,
}

impl Stacks<'_> {
    /// The user data for a launch of these seats, in base64.
    ///
    /// # Errors
    /// It is more than an instance takes.
    pub fn user_data(
        &self,
        seats: &[SeatNumber],
        expires: jiff::Timestamp,
    ) -> Result<String, Failure> {
        let name = &self.environment.name;
        let public = |seat: &SeatNumber| (*seat, SshKey::derive(self.key, name, *seat, 0).public());
        let seats: Vec<_> = seats.iter().map(public).collect();
        let launch = guest_data::Launch {
            environment: name,
            seats: &seats,
            expires,
            settings: &GuestSettings::of(self.environment),
        };
        let bytes = user_data(&launch).map_err(|error| {
            Failure::new(FailureClass::Invalid, "write user data", error.to_string())
        })?;
        Ok(base64::encode(bytes))
    }

    /// How its instances are reached.
    pub fn ssh(&self) -> Ssh {
        Ssh {
            known_hosts: self.known_hosts.clone(),
            config: self.environment.ec2.ssh_config.clone(),
        }
    }

    /// The way to an instance.
    ///
    /// # Errors
    /// It is not there, or has no address.
    async fn host(&self, id: &str, seat: SeatNumber) -> Result<Host, Failure> {
        const CALL: &str = "reach instance";
        let name = &self.environment.name;
        let running = self.watch.seen_running(self.session, name, id).await?;
        let address = running.and_then(|instance| instance.address);
        let address = address.ok_or_else(|| {
            Failure::new(
                FailureClass::NotFound,
                CALL,
                format!("{id} does not run, or has no address"),
            )
        })?;
        Ok(self.host_at(id, address, seat))
    }

    /// The way to an instance at that address.
    pub fn host_at(&self, id: &str, address: std::net::IpAddr, seat: SeatNumber) -> Host {
        Host {
            address: address.to_string(),
            id: id.to_owned(),
            user: USER.to_owned(),
            key: SshKey::derive(self.key, &self.environment.name, seat, 0),
        }
    }

    /// Waits until the instance lets us in and has what it needs, and brings it its stack.
    ///
    /// # Errors
    /// It does not let us in, or does not take it.
    pub async fn deliver(
        &self,
        id: &str,
        spec: &StackSpec,
        progress: &Progress,
    ) -> Result<(), Failure> {
        let (ssh, host) = (self.ssh(), self.host(id, spec.seat).await?);
        let guest = Guest {
            ssh: &ssh,
            host: &host,
        };
        let deadline = Instant::now() + BOOT;
        let noted = |failure: &Failure| progress.report(failure.message.clone(), None, None);
        if guest.reachable(deadline, noted).await? != Standing::Ready {
            self.await_standing("install", deadline, progress, || guest.installed())
                .await?;
        }
        let values = seat_values(self.environment, self.key, spec.seat);
        let bundle = guest_bundle(self.environment, spec.seat, &values, self.workspace).await?;
        guest.receive(&bundle, spec.patience).await
    }

    /// Starts the stack that was brought.
    ///
    /// # Errors
    /// It does not start.
    pub async fn start(&self, id: &str, spec: &StackSpec) -> Result<(), Failure> {
        let (ssh, host) = (self.ssh(), self.host(id, spec.seat).await?);
        Guest {
            ssh: &ssh,
            host: &host,
        }
        .up(spec.patience)
        .await
    }

    /// Waits until it is ready.
    ///
    /// # Errors
    /// It won't be, or takes too long.
    pub async fn ready(
        &self,
        id: &str,
        spec: &StackSpec,
        progress: &Progress,
    ) -> Result<(), Failure> {
        let (ssh, host) = (self.ssh(), self.host(id, spec.seat).await?);
        let guest = Guest {
            ssh: &ssh,
            host: &host,
        };
        let deadline = Instant::now() + spec.patience;
        self.await_standing("check stack", deadline, progress, || guest.ready())
            .await
    }

    /// Takes the stack away. Before that the instance's tag says that it is to go: whoever comes after a
    /// run that ended in between goes on with that, and takes nothing old for a stack that was reset.
    ///
    /// # Errors
    /// The instance is not reached, or does not do it.
    pub async fn remove(
        &self,
        id: &str,
        seat: SeatNumber,
        patience: Duration,
    ) -> Result<(), Failure> {
        match mark(self.session, &[id.to_owned()], GOING).await {
            Err(failure) if failure.class == FailureClass::NotFound => return Ok(()),
            result => result?,
        }
        let (ssh, host) = (self.ssh(), self.host(id, seat).await?);
        let removed = Guest {
            ssh: &ssh,
            host: &host,
        }
        .down(patience)
        .await;
        removed.map_err(|failure| {
            failure
                .with_hint("`seatbox reset --workspace` makes a new instance; its files are lost")
        })
    }

    async fn await_standing<F>(
        &self,
        call: &str,
        deadline: Instant,
        progress: &Progress,
        ask: impl Fn() -> F,
    ) -> Result<(), Failure>
    where
        F: Future<Output = Result<Standing, Failure>>,
    {
        loop {
            let words = match ask().await? {
                Standing::Ready => return Ok(()),
                Standing::Broken(words) => {
                    return Err(Failure::new(FailureClass::Broken, call, words));
                }
                Standing::NotYet(words) => words,
            };
            if Instant::now() >= deadline {
                return Err(Failure::new(
                    FailureClass::Broken,
                    call,
                    format!("not in time: {words}"),
                ));
            }
            progress.report(words, None, None);
            tokio::select! {
                () = sleep(PAUSE) => {}
                () = progress.interrupted() => {
                    return Err(Failure::new(FailureClass::Timeout, call, "interrupted"));
                }
            }
        }
    }
}

/// Notes at instances that they have this stack.
///
/// # Errors
/// What AWS says.
pub async fn mark(session: &Session, ids: &[String], print: &str) -> Result<(), Failure> {
    let tag = Ec2Tag::builder().key(STACK).value(print).build();
    let request = session.ec2.create_tags().tags(tag);
    let request = request.set_resources(Some(ids.to_vec()));
    session
        .call(Action::ec2("CreateTags"), || request.clone().send())
        .await
        .map(|_| ())
}
