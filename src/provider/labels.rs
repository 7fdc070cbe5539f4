//! The labels (on AWS: tags) by which everything of ours is known. They are the only state.

use crate::expiry::Expires;
use crate::model::seat::Owner;
use crate::model::{EnvironmentName, SeatNumber};
use crate::plan::Fingerprint;

/// The environment's name.
pub const ENVIRONMENT: &str = "dev.seatbox.environment";
/// The seat's number, or `shared`.
pub const SEAT: &str = "dev.seatbox.seat";
/// The service's name, where the resource is for one.
pub const SERVICE: &str = "dev.seatbox.service";
/// When the resource may be swept away: RFC 3339, UTC.
pub const EXPIRES: &str = "dev.seatbox.expires";
/// The fingerprint of the resource's resolved specification.
pub const SPEC: &str = "dev.seatbox.spec";
/// The fingerprint of the event key that the seat's secrets come from. It tells keys apart and
/// gives nothing of them away.
pub const KEY: &str = "dev.seatbox.key";
/// What is a lease and nothing else; its value is the version of its form.
pub const LEASE: &str = "dev.seatbox.lease";
/// What all of our labels begin with.
pub const PREFIX: &str = "dev.seatbox.";

/// What our labels say of a resource.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ownership {
    /// The environment that it belongs to.
    pub environment: EnvironmentName,
    /// The seat that it belongs to, or all of them.
    pub owner: Owner,
    /// The service that it is for.
    pub service: Option<String>,
    /// When it may be swept away.
    pub expires: Option<Expires>,
    /// What it was made from.
    pub fingerprint: Option<Fingerprint>,
    /// The event key that its secrets come from.
    pub key: Option<String>,
}

impl Ownership {
    /// Reads our labels; `None` where they are not all there that make a resource ours.
    pub fn read<'a>(label: impl Fn(&str) -> Option<&'a str>) -> Option<Self> {
        let owner = match label(SEAT)? {
            "shared" => Owner::Shared,
            number => Owner::Seat(number.parse::<SeatNumber>().ok()?),
        };
        Some(Self {
            environment: label(ENVIRONMENT)?.parse().ok()?,
            owner,
            service: label(SERVICE).map(str::to_owned),
            expires: label(EXPIRES).map(Expires::read),
            fingerprint: label(SPEC).map(Fingerprint::from_label),
            key: label(KEY).map(str::to_owned),
        })
    }

    /// The labels to put on the resource, in the call that creates it.
    pub fn write(&self) -> impl Iterator<Item = (String, String)> {
        let owner = match self.owner {
            Owner::Shared => "shared".to_owned(),
            Owner::Seat(seat) => seat.get().to_string(),
        };
        [
            (ENVIRONMENT, Some(self.environment.to_string())),
            (SEAT, Some(owner)),
            (SERVICE, self.service.clone()),
            (EXPIRES, self.expires.as_ref().map(ToString::to_string)),
            (
                SPEC,
                self.fingerprint
                    .as_ref()
                    .map(|print| print.as_str().to_owned()),
            ),
            (KEY, self.key.clone()),
        ]
        .into_iter()
        .filter_map(|(name, value)| Some((name.to_owned(), value?)))
    }
}
