//! The event key: 32 random bytes, and the line of text that carries them to another machine.

use std::path::PathBuf;

use hkdf::Hkdf;
use rand::TryRng as _;
use rand::rngs::SysRng;
use secrecy::zeroize::Zeroizing;
use secrecy::{ExposeSecret as _, SecretBox, SecretString};
use sha2::{Digest as _, Sha256};

/// How many bytes an event key has: as many as SHA-256 gives, more would add nothing.
pub const KEY_LENGTH: usize = 32;

/// What an exported key begins with: what it is, and the version of its form.
const EXPORT_PREFIX: &str = "seatbox-key-1";

/// Digits of the checksum at an exported key's end: 32 bits, so that one typo in four thousand
/// million goes unnoticed.
const CHECKSUM_DIGITS: usize = 8;

/// What the fingerprint is derived for. Without a slash, so that no seat's secret is derived for
/// the same.
const FINGERPRINT_INFO: &[u8] = b"seatbox-key-fingerprint-1";

/// Why there is no event key. None of these says anything of the key's bytes.
#[derive(Debug, thiserror::Error, miette::Diagnostic)]
pub enum KeyError {
    /// The key's file does not exist.
    #[error("there is no event key at {}", path.display())]
    #[diagnostic(help(
        "it is made by `seatbox up`; on another machine, take it from there with \
         `seatbox key export` and `seatbox key import`"
    ))]
    Missing {
        /// Where it should be.
        path: PathBuf,
    },
    /// Others than its owner may read or change the key's file.
    #[error(
        "{} can be read or changed by others (its mode is {mode:03o})",
        path.display()
    )]
    #[diagnostic(help("run: chmod 600 '{}'", path.display()))]
    Exposed {
        /// The key's file.
        path: PathBuf,
        /// Its permission bits.
        mode: u32,
    },
    /// The text is no exported key.
    #[error("this is not an event key: {problem}")]
    #[diagnostic(help(
        "a key is the one line that `seatbox key export` prints, beginning with `seatbox-key-1:`"
    ))]
    Malformed {
        /// What is wrong with it.
        problem: &'static str,
    },
    /// The key's file holds no key.
    #[error("{} holds no event key: {problem}", path.display())]
    #[diagnostic(help(
        "put the exported key back with `seatbox key import --force`; seats that are up \
         keep the passwords of the key they were made with"
    ))]
    MalformedFile {
        /// The key's file.
        path: PathBuf,
        /// What is wrong with it.
        problem: &'static str,
    },
    /// Another key is there already.
    #[error(
        "{} holds another key ({existing}) than the one to import ({imported})",
        path.display()
    )]
    #[diagnostic(help(
        "seats made with the key that is there would no longer match their passwords; \
         `--force` replaces it nevertheless"
    ))]
    Different {
        /// The key's file.
        path: PathBuf,
        /// Fingerprint of the key that is there.
        existing: String,
        /// Fingerprint of the key that was to be imported.
        imported: String,
    },
    /// Neither `XDG_STATE_HOME` nor `HOME` says where to keep the key.
    #[error("neither XDG_STATE_HOME nor HOME is set, so there is no place for the event key")]
    NoHome,
    /// The operating system gave no random bytes.
    #[error("the operating system gives no random bytes: {0}")]
    NoRandomness(String),
    /// The key's file could not be read or written.
    #[error("could not {action} {}: {source}", path.display())]
    Io {
        /// What was attempted.
        action: &'static str,
        /// The file or directory.
        path: PathBuf,
        /// What the operating system says.
        source: std::io::Error,
    },
}

/// The secret that every seat's secrets derive from. Its bytes are wiped when it is dropped, and
/// `{:?}` does not show them.
pub struct EventKey(SecretBox<[u8; KEY_LENGTH]>);

impl Clone for EventKey {
    fn clone(&self) -> Self {
        Self(SecretBox::new(Box::new(*self.0.expose_secret())))
    }
}

impl EventKey {
    /// A new key out of the operating system's random numbers.
    ///
    /// # Errors
    /// Where the operating system has none to give.
    pub fn generate() -> Result<Self, KeyError> {
        let mut bytes = Box::new([0; KEY_LENGTH]);
        SysRng
            .try_fill_bytes(bytes.as_mut_slice())
            .map_err(|error| KeyError::NoRandomness(error.to_string()))?;
        Ok(Self(SecretBox::new(bytes)))
    }

    /// The key of those bytes.
    pub fn from_bytes(bytes: [u8; KEY_LENGTH]) -> Self {
        Self(SecretBox::new(Box::new(bytes)))
    }

    /// Bytes that follow from the key and from `info`, as HKDF-SHA256 (RFC 5869) expands them,
    /// without a salt: the key is uniformly random already.
    pub(super) fn expand<const N: usize>(&self, info: &[u8]) -> Zeroizing<[u8; N]> {
        const { assert!(N <= 255 * 32, "HKDF-SHA256 ends at 255 blocks") };
        let mut output = Zeroizing::new([0; N]);
        Hkdf::<Sha256>::new(None, self.0.expose_secret())
            .expand(info, output.as_mut_slice())
            .expect("the length was checked when this was compiled");
        output
    }

    /// Eight hexadecimal digits that tell keys apart and are no secret: they may stand in a label
    /// or a message.
    pub fn fingerprint(&self) -> String {
        let derived = self.expand::<32>(FINGERPRINT_INFO);
        crate::hex(&Sha256::digest(derived.as_slice())[..4])
    }

    /// The key as one line of text, `seatbox-key-1:<64 digits>:<checksum>`, to carry it to another
    /// machine. As secret as the key.
    pub fn export(&self) -> SecretString {
        let digits = Zeroizing::new(crate::hex(self.0.expose_secret()));
        let checksum = checksum(&digits);
        SecretString::from(format!("{EXPORT_PREFIX}:{}:{checksum}", digits.as_str()))
    }

    /// Reads what [`EventKey::export`] wrote. White space around it and upper case are no fault.
    ///
    /// # Errors
    /// [`KeyError::Malformed`], which does not repeat the text.
    pub fn parse(line: &str) -> Result<Self, KeyError> {
        let malformed = |problem| KeyError::Malformed { problem };
        let line = Zeroizing::new(line.trim().to_ascii_lowercase());
        let mut parts = line.split(':');
        match parts.next() {
            Some(EXPORT_PREFIX) => {}
            Some(prefix) if prefix.starts_with("seatbox-key-") => {
                return Err(malformed("a newer Seatbox wrote it"));
            }
            _ => return Err(malformed("it does not begin with `seatbox-key-1:`")),
        }
        let (Some(digits), Some(sum), None) = (parts.next(), parts.next(), parts.next()) else {
            return Err(malformed("it does not have three parts between colons"));
        };
        if digits.len() != 2 * KEY_LENGTH || sum.len() != CHECKSUM_DIGITS {
            return Err(malformed("it is not complete"));
        }
        let bytes = Zeroizing::new(
            unhex(digits).ok_or_else(|| malformed("only 0-9 and a-f may be in it"))?,
        );
        if checksum(digits) != sum {
            return Err(malformed(
                "its checksum does not fit, so there is a typo in it",
            ));
        }
        Ok(Self::from_bytes(*bytes))
    }
}

impl std::fmt::Debug for EventKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "EventKey({})", self.fingerprint())
    }
}

/// Keys are the same where their fingerprints and their bytes are; the time it takes says nothing,
/// since what is compared is a digest.
impl PartialEq for EventKey {
    fn eq(&self, other: &Self) -> bool {
        Sha256::digest(self.0.expose_secret()) == Sha256::digest(other.0.expose_secret())
    }
}
impl Eq for EventKey {}

/// The checksum of an exported key's digits.
fn checksum(digits: &str) -> String {
    let digest = Sha256::new()
        .chain_update(EXPORT_PREFIX)
        .chain_update(digits)
        .finalize();
    crate::hex(&digest[..CHECKSUM_DIGITS / 2])
}

fn unhex(digits: &str) -> Option<[u8; KEY_LENGTH]> {
    let mut bytes = [0; KEY_LENGTH];
    for (byte, pair) in bytes.iter_mut().zip(digits.as_bytes().chunks_exact(2)) {
        let high = char::from(pair[0]).to_digit(16)?;
        let low = char::from(pair[1]).to_digit(16)?;
        *byte = u8::try_from(high << 4 | low).ok()?;
    }
    Some(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn counting_key() -> EventKey {
        EventKey::from_bytes(std::array::from_fn(|index| index as u8))
    }

    const COUNTING_EXPORT: &str = "seatbox-key-1:\
        000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f:";

    #[test]
    fn an_exported_key_comes_back_the_same() {
        let key = EventKey::generate().unwrap();
        let line = key.export();
        assert_eq!(EventKey::parse(line.expose_secret()).unwrap(), key);
        let shouted = format!("  {}\r\n", line.expose_secret().to_uppercase());
        assert_eq!(EventKey::parse(&shouted).unwrap(), key);
    }

    #[test]
    fn the_form_of_an_exported_key_never_changes() {
        let line = counting_key().export();
        assert_eq!(line.expose_secret(), format!("{COUNTING_EXPORT}f89e378a"));
    }

    #[test]
    fn the_fingerprint_of_a_key_never_changes() {
        assert_eq!(counting_key().fingerprint(), "35931eab");
        assert_ne!(
            EventKey::generate().unwrap().fingerprint(),
            EventKey::generate().unwrap().fingerprint()
        );
    }

    #[test]
    fn every_single_wrong_digit_is_found() {
        let line = counting_key().export();
        let line = line.expose_secret();
        for position in EXPORT_PREFIX.len() + 1..line.len() {
            let mut bytes = line.as_bytes().to_vec();
            bytes[position] = if bytes[position] == b'7' { b'8' } else { b'7' };
            let typo = String::from_utf8(bytes).unwrap();
            assert!(EventKey::parse(&typo).is_err(), "position {position}");
        }
    }

    #[test]
    fn what_is_no_key_says_why_without_repeating_it() {
        let digits = "ab".repeat(KEY_LENGTH);
        for (text, problem) in [
            (String::new(), "does not begin"),
            ("hunter2".to_owned(), "does not begin"),
            (format!("seatbox-key-2:{digits}:00000000"), "newer"),
            (format!("seatbox-key-1:{digits}"), "three parts"),
            (format!("seatbox-key-1:{digits}:0:0"), "three parts"),
            (
                format!("seatbox-key-1:{}:00000000", &digits[1..]),
                "not complete",
            ),
            (
                format!("seatbox-key-1:{}:00000000", digits.replace('a', "x")),
                "0-9",
            ),
            (
                format!("seatbox-key-1:{}:00000000", "é".repeat(KEY_LENGTH)),
                "0-9",
            ),
            (format!("seatbox-key-1:{digits}:00000000"), "typo"),
        ] {
            let message = EventKey::parse(&text).unwrap_err().to_string();
            assert!(message.contains(problem), "{text:?} gives {message:?}");
            assert!(!message.contains("abab") && !message.contains("hunter2"));
        }
    }

    #[test]
    fn a_key_is_not_shown_by_debug() {
        let shown = format!("{:?}", counting_key());
        assert_eq!(shown, format!("EventKey({})", counting_key().fingerprint()));
    }
}
