//! Passwords of seats, derived from the event key.

use secrecy::SecretString;

use super::EventKey;
use crate::model::{EnvironmentName, SeatNumber};

/// How many characters a derived secret has: 24 of 62 are 142 bits.
pub const SECRET_LENGTH: usize = 24;

/// Characters that need no quoting in a URL, a shell or a configuration file.
const ALPHABET: &[u8; 62] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";

/// Bytes to choose from. 8 of 256 values are turned down, so that fewer than 24 of these 256 are
/// left is as good as impossible (below 2⁻¹⁰⁰⁰).
const EXPANDED: usize = 256;

/// The secret of one seat for one purpose (`postgres` for example): HKDF-SHA256 over
/// `environment/seat/purpose/generation`, written with letters and digits. A higher `generation`
/// gives another secret where one has leaked.
///
/// An environment's name and the numbers have no slash, so a purpose may have some and no two
/// different inputs are written alike.
pub fn derive(
    key: &EventKey,
    environment: &EnvironmentName,
    seat: SeatNumber,
    purpose: &str,
    generation: u32,
) -> SecretString {
    let info = format!("{environment}/{}/{purpose}/{generation}", seat.get());
    let expanded = key.expand::<EXPANDED>(info.as_bytes());
    let secret: String = characters(expanded.as_slice())
        .take(SECRET_LENGTH)
        .collect();
    SecretString::from(secret)
}

/// A character for each byte below the highest multiple of 62; the bytes above it would make the
/// first characters of the alphabet likelier than the others.
fn characters(bytes: &[u8]) -> impl Iterator<Item = char> {
    let fair = u8::MAX - (256 % ALPHABET.len()) as u8;
    bytes
        .iter()
        .filter(move |byte| **byte <= fair)
        .map(|byte| char::from(ALPHABET[usize::from(*byte) % ALPHABET.len()]))
}

#[cfg(test)]
mod tests {
    use std::collections::{HashMap, HashSet};

    use hkdf::Hkdf;
    use secrecy::ExposeSecret as _;
    use sha2::Sha256;

    use super::*;

    fn secret(seat: u32, purpose: &str, generation: u32) -> String {
        let key = EventKey::from_bytes(std::array::from_fn(|index| index as u8));
        let environment = "gopher-guangzhou-2024".parse().unwrap();
        let seat = SeatNumber::new(seat).unwrap();
        derive(&key, &environment, seat, purpose, generation)
            .expose_secret()
            .to_owned()
    }

    /// RFC 5869, appendix A.1 to A.3: HKDF with SHA-256.
    #[test]
    fn hkdf_is_that_of_rfc_5869() {
        let ascending = |from: u8, to: u8| (from..=to).collect::<Vec<u8>>();
        let cases = [
            (
                vec![0x0b; 22],
                ascending(0x00, 0x0c),
                ascending(0xf0, 0xf9),
                "3cb25f25faacd57a90434f64d0362f2a2d2d0a90cf1a5a4c5db02d56ecc4c5bf34007208d5b887185865",
            ),
            (
                ascending(0x00, 0x4f),
                ascending(0x60, 0xaf),
                ascending(0xb0, 0xff),
                "b11e398dc80327a1c8e7f78c596a49344f012eda2d4efad8a050cc4c19afa97c59045a99cac7827271cb41c65e590e09da3275600c2f09b8367793a9aca3db71cc30c58179ec3e87c14c01d5c1f3434f1d87",
            ),
            (
                vec![0x0b; 22],
                vec![],
                vec![],
                "8da4e775a563c18f715f802a063c5a31b8a11f5c5ee1879ec3454e5f3c738d2d9d201395faa4b61a96c8",
            ),
        ];
        for (ikm, salt, info, expected) in cases {
            let mut output = vec![0; expected.len() / 2];
            Hkdf::<Sha256>::new(Some(&salt), &ikm)
                .expand(&info, &mut output)
                .unwrap();
            assert_eq!(crate::hex(&output), expected);
        }
    }

    #[test]
    fn a_key_expands_as_in_rfc_5869_without_a_salt() {
        let key = EventKey::from_bytes([0x0b; 32]);
        let mut expected = [0; 42];
        // No salt is a salt of 32 zero bytes (RFC 5869, section 2.2).
        Hkdf::<Sha256>::new(Some(&[0; 32]), &[0x0b; 32])
            .expand(b"info", &mut expected)
            .unwrap();
        assert_eq!(*key.expand::<42>(b"info"), expected);
    }

    /// Seats that are up have these passwords: a change here locks their owners out.
    #[test]
    fn derived_secrets_never_change() {
        assert_eq!(secret(7, "postgres", 1), "X2BedbZXp9vS6DMzY0T4LMMW");
        assert_eq!(secret(23, "redis", 2), "BQwqIFt2VdAX3G1VbN9rZNbc");
    }

    #[test]
    fn secrets_are_24_letters_and_digits_and_differ_by_each_part() {
        let mut seen = HashSet::new();
        for seat in [1, 2, 11, 111] {
            for purpose in ["postgres", "redis", "1", "1/1", ""] {
                for generation in [1, 2, 11] {
                    let secret = secret(seat, purpose, generation);
                    assert_eq!(secret.len(), SECRET_LENGTH);
                    assert!(secret.bytes().all(|byte| byte.is_ascii_alphanumeric()));
                    assert!(seen.insert(secret), "{seat}/{purpose}/{generation}");
                }
            }
        }
    }

    #[test]
    fn every_character_is_as_likely_as_any_other() {
        let all: Vec<u8> = (0..=u8::MAX).collect();
        let mut counts = HashMap::new();
        for character in characters(&all) {
            *counts.entry(character).or_insert(0) += 1;
        }
        assert_eq!(counts.len(), ALPHABET.len());
        assert!(counts.values().all(|count| *count == 4), "{counts:?}");
    }
}
