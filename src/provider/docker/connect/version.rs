//! Versions of the engine's API.

use std::fmt;
use std::str::FromStr;

/// The oldest API version that Seatbox speaks: that of Docker 20.10, which Debian 11 and 12 have.
pub const OLDEST_API: ApiVersion = ApiVersion::new(1, 41);

/// A version of the engine's API, `1.41` for example.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ApiVersion {
    major: u32,
    minor: u32,
}

impl ApiVersion {
    /// The version `major.minor`.
    pub const fn new(major: u32, minor: u32) -> Self {
        Self { major, minor }
    }
}

impl fmt::Display for ApiVersion {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", self.major, self.minor)
    }
}

/// The text is no version of the engine's API.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is no version of the engine's API")]
pub struct NotAVersion(String);

impl FromStr for ApiVersion {
    type Err = NotAVersion;
    fn from_str(text: &str) -> Result<Self, NotAVersion> {
        let parse = || {
            let (major, minor) = text.split_once('.')?;
            Some(Self::new(major.parse().ok()?, minor.parse().ok()?))
        };
        parse().ok_or_else(|| NotAVersion(text.chars().take(40).collect()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_are_compared_as_numbers() {
        let version = |text: &str| text.parse::<ApiVersion>().unwrap();
        assert!(version("1.9") < version("1.41"));
        assert!(version("1.100") > version("1.41"));
        assert!(version("2.0") > OLDEST_API);
        assert_eq!(version("1.41").to_string(), "1.41");
    }

    #[test]
    fn what_is_no_version_is_an_error() {
        for text in ["", "1", "1.", "1.x", "v1.41", "1.41.2"] {
            assert!(text.parse::<ApiVersion>().is_err(), "{text}");
        }
    }
}
