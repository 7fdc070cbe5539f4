//! Leases: how the truth on an environment's end is kept on an engine, which can't change a label
//! of what exists.
//!
//! A lease is one more thing of the environment, an empty volume that is no seat's and says a later
//! end than the seats do. An environment ends with the latest of all that is its own, so a lease
//! moves the end of all its seats, and touches none. Its name follows from what it says: the same
//! lease made twice, or by two at once, is one.

use std::collections::HashMap;

use bollard::Docker as Client;
use bollard::models::VolumeCreateRequest;
use bollard::query_parameters::RemoveVolumeOptions;
use jiff::Timestamp;

use super::errors::failure;
use super::names;
use crate::engine::{Failure, FailureClass};
use crate::model::EnvironmentName;
use crate::model::seat::Owner;
use crate::plan::Fingerprint;
use crate::provider::labels::{self, Ownership};

/// The form of the leases that are made now.
const FORM: &str = "1";

/// A lease that exists.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Lease {
    /// What its labels say.
    pub ownership: Ownership,
    /// Its volume's name.
    pub name: String,
}

impl Lease {
    /// Whether a volume of ours with these labels is a lease.
    pub fn is_one(labels: &HashMap<String, String>) -> bool {
        labels.contains_key(labels::LEASE)
    }

    /// The end that it says, where that can be read.
    pub fn end(&self) -> Option<Timestamp> {
        self.ownership.expires.as_ref()?.moment()
    }
}

/// Those of an environment's leases that end before the last of them, and so say nothing any more.
pub fn superfluous<'a>(
    environment: &'a EnvironmentName,
    leases: &'a [Lease],
) -> impl Iterator<Item = &'a Lease> {
    let own = move |lease: &&Lease| lease.ownership.environment == *environment;
    let latest = leases.iter().filter(own).filter_map(Lease::end).max();
    leases
        .iter()
        .filter(own)
        .filter(move |lease| lease.end() < latest && lease.end().is_some())
}

/// Removes leases that are superfluous: after the one that makes them so is there, so that at no
/// moment there is none. What can't be removed does no harm, for the latest counts; the next
/// extension tries again, and so does whatever takes the environment away.
pub(super) async fn remove(client: &Client, leases: impl Iterator<Item = &Lease>) {
    for lease in leases {
        let options = None::<RemoveVolumeOptions>;
        let _ = client.remove_volume(&lease.name, options).await;
    }
}

/// Makes the lease that says `end`. Creating a volume that exists returns it as it is, so this may
/// be done again.
pub(super) async fn create(
    client: &Client,
    environment: &EnvironmentName,
    end: Timestamp,
) -> Result<(), Failure> {
    const CALL: &str = "create lease";
    let ownership = Ownership {
        environment: environment.clone(),
        owner: Owner::Shared,
        service: None,
        expires: Some(end.into()),
        fingerprint: None,
        key: None,
    };
    let labels: HashMap<String, String> = ownership
        .write()
        .chain([(labels::LEASE.to_owned(), FORM.to_owned())])
        .collect();
    let name = name(environment, &labels);
    let request = VolumeCreateRequest {
        name: Some(name.clone()),
        labels: Some(labels.clone()),
        ..Default::default()
    };
    let volume = client
        .create_volume(request)
        .await
        .map_err(|error| failure(CALL, &error))?;
    let same = |(name, value): (&String, &String)| volume.labels.get(name) == Some(value);
    if labels.iter().all(same) {
        return Ok(());
    }
    Err(Failure::new(
        FailureClass::Conflict,
        CALL,
        format!("volume {name} exists and is not this lease"),
    )
    .with_hint("rename it or remove it, or choose another end"))
}

/// From all that the lease says, whatever that is.
fn name(environment: &EnvironmentName, labels: &HashMap<String, String>) -> String {
    let mut content: Vec<_> = labels.iter().collect();
    content.sort();
    let hash = Fingerprint::of(&content);
    names::lease(environment, &hash.as_str()[..8])
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lease(environment: &str, expires: &str) -> Lease {
        let labels = HashMap::from([
            (labels::ENVIRONMENT.to_owned(), environment.to_owned()),
            (labels::SEAT.to_owned(), "shared".to_owned()),
            (labels::EXPIRES.to_owned(), expires.to_owned()),
        ]);
        Lease {
            ownership: Ownership::read(|label| labels.get(label).map(String::as_str)).unwrap(),
            name: name(&environment.parse().unwrap(), &labels),
        }
    }

    #[test]
    fn a_leases_name_is_its_content_and_no_seats() {
        let one = lease("gopher", "2026-12-01T10:00:00Z");
        assert_eq!(one.name, lease("gopher", "2026-12-01T10:00:00Z").name);
        assert_ne!(one.name, lease("gopher", "2026-12-01T10:00:01Z").name);
        assert_ne!(one.name, lease("gopher-01", "2026-12-01T10:00:00Z").name);
        assert!(one.name.starts_with("gopher_lease-"), "{}", one.name);
    }

    #[test]
    fn only_what_ends_before_the_last_lease_is_superfluous_and_nothing_of_others() {
        let early = lease("gopher", "2026-12-01T10:00:00Z");
        let leases = [
            lease("gopher", "2026-12-01T12:00:00Z"),
            early.clone(),
            lease("gopher", "whenever"),
            lease("other", "2026-12-01T10:00:00Z"),
        ];
        let names = |environment: &str, leases: &[Lease]| -> Vec<String> {
            let environment = environment.parse().unwrap();
            superfluous(&environment, leases)
                .map(|lease| lease.name.clone())
                .collect()
        };
        assert_eq!(names("gopher", &leases), [early.name]);
        assert_eq!(names("other", &leases), [""; 0]);
        assert_eq!(names("gopher", &leases[2..]), [""; 0]);
    }
}
