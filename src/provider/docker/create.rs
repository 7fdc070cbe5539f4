//! Creating networks, volumes and containers, each with our labels in the call that creates it.

use std::collections::HashMap;
use std::sync::Mutex;
use std::time::{Duration, Instant};

use bollard::models::{Ipam, IpamConfig, NetworkCreateRequest, Volume, VolumeCreateRequest};
use bollard::query_parameters::{
    CreateContainerOptions, InspectContainerOptions, InspectNetworkOptions, RemoveVolumeOptions,
};
use indexmap::IndexMap;
use ipnet::Ipv4Net;
use jiff::Timestamp;

use super::apply::Applier;
use super::errors::{failure, is_conflict, is_not_found};
use super::scheme::{ContainerSpec, DockerKind, NetworkSpec, VolumeSpec};
use super::{clock, container, names};
use crate::engine::{Failure, FailureClass};
use crate::model::seat::Owner;
use crate::model::{SeatNumber, Text};
use crate::plan::Fingerprint;
use crate::provider::labels::{self, Ownership};

type Labels = HashMap<String, String>;

/// How often, and how far apart, to look for what has a name or an address already and can't be
/// seen yet.
const SETTLING: (usize, Duration) = (20, Duration::from_millis(250));

/// Ranges of addresses that the engine has refused. It may hold on to some that it shows to nobody:
/// those of a network that it was making when it was ended.
#[derive(Debug, Default)]
pub struct Refused(Mutex<Vec<Ipv4Net>>);

impl Refused {
    fn note(&self, subnet: Ipv4Net) {
        let mut all = self.0.lock().expect("nothing panics with this lock held");
        all.push(subnet);
    }

    /// All of them.
    pub fn all(&self) -> Vec<Ipv4Net> {
        let all = self.0.lock().expect("nothing panics with this lock held");
        all.clone()
    }
}

/// Names of what this process has asked for without hearing what came of it, and when it asked first.
#[derive(Debug, Default)]
pub struct Unanswered(Mutex<HashMap<String, Instant>>);

impl Unanswered {
    fn note(&self, name: &str, asked: Instant) {
        let mut names = self.0.lock().expect("nothing panics with this lock held");
        names.entry(name.to_owned()).or_insert(asked);
    }

    fn forget(&self, name: &str) {
        let mut names = self.0.lock().expect("nothing panics with this lock held");
        names.remove(name);
    }

    fn since(&self, name: &str) -> Option<Instant> {
        let names = self.0.lock().expect("nothing panics with this lock held");
        names.get(name).copied()
    }
}

/// Whether something may have come of a call that failed so: it was made, and not answered.
fn is_unanswered(class: FailureClass) -> bool {
    matches!(class, FailureClass::Connection | FailureClass::Timeout)
}

impl Applier {
    /// The stack's own labels of a resource, and over them ours and Compose's: every call that
    /// creates something carries them.
    fn labels(
        &self,
        seat: SeatNumber,
        service: Option<&str>,
        fingerprint: &Fingerprint,
        expires: Timestamp,
        own: &IndexMap<String, Text>,
        compose: &[(&str, &str)],
    ) -> Labels {
        let environment = self.environment();
        let ownership = Ownership {
            environment: environment.name.clone(),
            owner: Owner::Seat(seat),
            service: service.map(str::to_owned),
            expires: Some(expires.into()),
            fingerprint: Some(fingerprint.clone()),
            key: self.key.as_ref().map(|key| key.fingerprint()),
        };
        let values = self.values(seat);
        own.iter()
            .map(|(name, text)| (name.clone(), text.render(&values)))
            .chain(ownership.write())
            .chain([(
                "com.docker.compose.project".to_owned(),
                names::project(&environment.name, seat),
            )])
            .chain(
                compose.iter().map(|(name, value)| {
                    (format!("com.docker.compose.{name}"), (*value).to_owned())
                }),
            )
            .collect()
    }

    pub(super) async fn create_network(
        &self,
        name: &str,
        spec: &NetworkSpec,
    ) -> Result<(), Failure> {
        const CALL: &str = "create network";
        // Engines give one name to two networks if asked twice, so a call whose outcome is unknown
        // must not be made again without a look.
        if let Some(labels) = self.network_labels(name).await? {
            return self.adopt(name, &labels, &spec.fingerprint, CALL);
        }
        let request = NetworkCreateRequest {
            name: name.to_owned(),
            driver: Some("bridge".to_owned()),
            internal: Some(spec.internal),
            ipam: Some(Ipam {
                config: Some(vec![IpamConfig {
                    subnet: Some(spec.subnet.to_string()),
                    ..Default::default()
                }]),
                ..Default::default()
            }),
            labels: Some(self.labels(
                spec.seat,
                None,
                &spec.fingerprint,
                spec.expires,
                &spec.labels,
                &[("network", &spec.name)],
            )),
            ..Default::default()
        };
        match self.client.create_network(request).await {
            Ok(_) => Ok(()),
            Err(error) => {
                let failure = failure(CALL, &error);
                // Its addresses may be taken by itself.
                if failure.class == FailureClass::Conflict
                    && let Some(labels) = self.settled(DockerKind::Network, name).await?
                {
                    return self.adopt(name, &labels, &spec.fingerprint, CALL);
                }
                if failure.class == FailureClass::Conflict {
                    self.refused.note(spec.subnet);
                }
                Err(failure)
            }
        }
    }

    async fn network_labels(&self, name: &str) -> Result<Option<Labels>, Failure> {
        let inspected = self
            .client
            .inspect_network(name, None::<InspectNetworkOptions>)
            .await;
        match inspected {
            Ok(network) => Ok(Some(network.labels.unwrap_or_default())),
            Err(error) if is_not_found(&error) => Ok(None),
            Err(error) => Err(failure("inspect network", &error)),
        }
    }

    pub(super) async fn create_volume(&self, name: &str, spec: &VolumeSpec) -> Result<(), Failure> {
        // Creating a volume that exists returns it as it is: its labels tell whose it is.
        const CALL: &str = "create volume";
        let request = VolumeCreateRequest {
            name: Some(name.to_owned()),
            labels: Some(self.labels(
                spec.seat,
                None,
                &spec.fingerprint,
                spec.expires,
                &spec.labels,
                &[("volume", &spec.name)],
            )),
            ..Default::default()
        };
        let asked = Instant::now();
        let volume = match self.client.create_volume(request).await {
            Ok(volume) => volume,
            Err(error) => {
                let failure = failure(CALL, &error);
                if is_unanswered(failure.class) {
                    self.unanswered.note(name, asked);
                }
                return Err(failure);
            }
        };
        // An engine that is ended between making a volume and writing down its labels has one
        // without any. It is ours where this very call was made before and never answered, and it is
        // no older: the look before it found no such volume, or it would not have been planned. Not
        // forced: what a container uses stays.
        if volume.labels.is_empty()
            && let Some(asked) = self.unanswered.since(name)
            && self.is_since(&volume, asked).await?
        {
            let removed = self.client.remove_volume(name, None::<RemoveVolumeOptions>);
            removed.await.map_err(|error| failure(CALL, &error))?;
            let message = "the engine was ended before it had labelled it";
            return Err(Failure::new(FailureClass::Connection, CALL, message));
        }
        self.unanswered.forget(name);
        self.adopt(name, &volume.labels, &spec.fingerprint, CALL)?;
        self.copies.made(name, spec);
        Ok(())
    }

    /// Whether that volume was made after `asked`, by the clock of the engine that dates it.
    async fn is_since(&self, volume: &Volume, asked: Instant) -> Result<bool, Failure> {
        let now = clock::read(&self.client, Timestamp::now).await?.engine;
        let asked = now.saturating_sub(asked.elapsed());
        let created = volume.created_at.map(|moment| moment.unix_timestamp());
        // It is dated in whole seconds.
        Ok(created
            .zip(asked.ok())
            .is_some_and(|(created, asked)| created >= asked.as_second()))
    }

    pub(super) async fn create_container(
        &self,
        name: &str,
        spec: &ContainerSpec,
    ) -> Result<(), Failure> {
        const CALL: &str = "create container";
        let environment = self.environment();
        self.begin_copies_anew(name, spec).await?;
        let service = spec.service.name.as_str();
        let file = environment.stack.file.display().to_string();
        let labels = self.labels(
            spec.seat,
            Some(service),
            &spec.fingerprint,
            spec.expires,
            &spec.service.labels,
            &[
                ("service", service),
                ("container-number", "1"),
                ("oneoff", "False"),
                ("config-hash", spec.fingerprint.as_str()),
                ("project.config_files", &file),
            ],
        );
        let mut body = container::body(environment, spec, &self.values(spec.seat), labels);
        let options = CreateContainerOptions {
            name: Some(name.to_owned()),
            platform: spec.service.platform.clone().unwrap_or_default(),
        };
        let own = body.image.clone();
        if let Some(snapshot) = &spec.snapshot {
            body.image = Some(snapshot.to_string());
        }
        let create = async |body| {
            let options = Some(options.clone());
            self.client.create_container(options, body).await
        };
        let mut created = create(body.clone()).await;
        // A snapshot that could not be made is not there, and the service makes its own first start.
        if spec.snapshot.is_some() && created.as_ref().is_err_and(is_not_found) {
            body.image = own;
            created = create(body).await;
        }
        match created {
            Ok(_) => Ok(()),
            Err(error) if is_conflict(&error) => {
                match self.settled(DockerKind::Container, name).await? {
                    Some(labels) => self.adopt(name, &labels, &spec.fingerprint, CALL),
                    None => Err(failure(CALL, &error)),
                }
            }
            Err(error) => {
                let failure = failure(CALL, &error);
                self.copies.doubt(name);
                if !failure.class.is_retryable() {
                    // The next run can't know; if this does not do now, it can't either.
                    let _ = self.begin_copies_anew(name, spec).await;
                }
                Err(failure)
            }
        }
    }

    pub(super) async fn container_labels(&self, name: &str) -> Result<Option<Labels>, Failure> {
        let inspected = self
            .client
            .inspect_container(name, None::<InspectContainerOptions>)
            .await;
        match inspected {
            Ok(container) => Ok(Some(
                container
                    .config
                    .and_then(|config| config.labels)
                    .unwrap_or_default(),
            )),
            Err(error) if is_not_found(&error) => Ok(None),
            Err(error) => Err(failure("inspect container", &error)),
        }
    }

    /// Whether labels are those that this environment's resource would get now.
    pub(super) fn is_as_wanted(&self, labels: &Labels, wanted: &Fingerprint) -> bool {
        Ownership::read(|name| labels.get(name).map(String::as_str)).is_some_and(|ownership| {
            ownership.environment == self.environment().name
                && ownership.fingerprint.as_ref() == Some(wanted)
        })
    }

    /// What has the name already is ours, from an attempt whose answer was lost or from another
    /// `up`, or it is somebody's, and then it stays as it is.
    fn adopt(
        &self,
        name: &str,
        labels: &Labels,
        wanted: &Fingerprint,
        call: &str,
    ) -> Result<(), Failure> {
        if self.is_as_wanted(labels, wanted) {
            return Ok(());
        }
        let message = match Ownership::read(|name| labels.get(name).map(String::as_str)) {
            Some(_) => format!("{name} was made in the meantime, and otherwise than it should be"),
            None => format!(
                "{name} exists and is not ours: it has no label {}",
                labels::ENVIRONMENT
            ),
        };
        Err(Failure::new(FailureClass::Conflict, call, message)
            .with_hint("run the same command again to see how things are now"))
    }

    /// The labels of what has that name, as soon as it can be seen. An engine goes on with a call
    /// whose caller is gone (an `up` that was killed), and reserves names and addresses before it
    /// shows what they are for.
    async fn settled(&self, kind: DockerKind, name: &str) -> Result<Option<Labels>, Failure> {
        let (times, pause) = SETTLING;
        for _ in 0..times {
            let seen = match kind {
                DockerKind::Network => self.network_labels(name).await?,
                _ => self.container_labels(name).await?,
            };
            if seen.is_some() {
                return Ok(seen);
            }
            tokio::time::sleep(pause).await;
        }
        Ok(None)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_call_that_was_made_and_not_answered_may_have_left_something() {
        use FailureClass::{Connection, Throttle, Timeout, Unreachable};
        assert!([Connection, Timeout].into_iter().all(is_unanswered));
        assert!(!is_unanswered(Unreachable), "there was nobody to ask");
        assert!(!is_unanswered(Throttle), "it was answered");
    }

    #[test]
    fn what_was_not_answered_is_known_from_the_first_time_until_it_is() {
        let unanswered = Unanswered::default();
        let first = Instant::now();
        unanswered.note("data", first);
        unanswered.note("data", first + Duration::from_secs(9));
        assert_eq!(unanswered.since("data"), Some(first));
        unanswered.forget("data");
        assert_eq!(unanswered.since("data"), None);
    }
}
