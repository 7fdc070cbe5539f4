//! SSH keys of seats, derived from the event key.

use secrecy::zeroize::Zeroizing;
use ssh_key::private::{Ed25519Keypair, KeypairData};
use ssh_key::{LineEnding, PrivateKey};

use super::EventKey;
use crate::model::{EnvironmentName, SeatNumber};

/// A seat's key, to log in with. Its secret half is wiped when it is dropped, and `{:?}` does not
/// show it.
#[derive(Clone)]
pub struct SshKey(PrivateKey);

impl SshKey {
    /// The ed25519 key of one seat. A higher `generation` gives another one where one has leaked.
    ///
    /// Its seed is HKDF-SHA256 over `environment/seat/ssh/ed25519/generation`. A stack's variables
    /// have no slash in them, so no `SEATBOX_SECRET_…` is made of the same bytes.
    pub fn derive(
        key: &EventKey,
        environment: &EnvironmentName,
        seat: SeatNumber,
        generation: u32,
    ) -> Self {
        let info = format!("{environment}/{}/ssh/ed25519/{generation}", seat.get());
        let seed = key.expand::<32>(info.as_bytes());
        let pair = Ed25519Keypair::from_seed(&seed);
        let name = format!("{environment}-{seat}");
        let key = PrivateKey::new(KeypairData::Ed25519(pair), name);
        Self(key.expect("a key that is not encrypted is always one"))
    }

    /// The public half, as a line of `authorized_keys` without a comment: `ssh-ed25519 AAAA…`.
    pub fn public(&self) -> String {
        let mut public = self.0.public_key().clone();
        public.set_comment("");
        public
            .to_openssh()
            .expect("an ed25519 key can be written")
            .trim_end()
            .to_owned()
    }

    /// The secret half as a file in OpenSSH's own form.
    pub fn private(&self) -> Zeroizing<String> {
        self.0
            .to_openssh(LineEnding::LF)
            .expect("an ed25519 key can be written")
    }
}

impl std::fmt::Debug for SshKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "SshKey({})", self.public())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(seat: u32, generation: u32) -> SshKey {
        let key = EventKey::from_bytes(std::array::from_fn(|index| index as u8));
        let environment = "gopher-guangzhou-2024".parse().unwrap();
        SshKey::derive(
            &key,
            &environment,
            SeatNumber::new(seat).unwrap(),
            generation,
        )
    }

    /// Instances that run let in these keys: a change here locks everybody out.
    #[test]
    fn derived_keys_never_change() {
        insta::assert_snapshot!(key(7, 0).public(), @"ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIDArh4Azj4WKHlqu5seWZ+MjQmDvvKW7pezoxsXjD3S1");
    }

    #[test]
    fn keys_differ_by_seat_and_generation_and_are_shown_by_no_debug() {
        let publics = [key(1, 0), key(11, 0), key(1, 1)].map(|key| key.public());
        assert!(publics[0] != publics[1] && publics[0] != publics[2]);
        let private = key(1, 0).private();
        assert!(private.starts_with("-----BEGIN OPENSSH PRIVATE KEY-----\n"));
        let shown = format!("{:?}", key(1, 0));
        assert_eq!(shown, format!("SshKey({})", publics[0]));
    }
}
