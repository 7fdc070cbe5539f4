//! Names and numbers: what an environment, a seat and a service are called.

use std::fmt;
use std::num::NonZeroU32;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// The highest number a seat can have, so that names, ports and subnets stay plannable.
pub const MAX_SEATS: u32 = 10_000;

/// The longest environment name, in characters.
///
/// It stands in container names and host names together with the seat and the service, and a DNS
/// label ends at 63 (RFC 1035, section 2.3.4).
pub const MAX_ENVIRONMENT_NAME: usize = 40;

/// Why a name or a number is not one.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum IdError {
    /// An environment or service name is not a DNS label.
    #[error("`{value}` is not a DNS label: {problem}")]
    NotALabel {
        /// What was given.
        value: String,
        /// Which rule it breaks.
        problem: &'static str,
    },
    /// A seat number is not in 1 to [`MAX_SEATS`].
    #[error("`{0}` is not a seat number (1 to {MAX_SEATS})")]
    NotASeat(String),
    /// A selection of seats can't be read.
    #[error("`{part}` is not a selection of seats: {problem}; write for example 1-5,8,12-")]
    NotASelection {
        /// The part that can't be read.
        part: String,
        /// What is wrong with it.
        problem: &'static str,
    },
}

fn check_label(value: &str, longest: usize) -> Result<(), IdError> {
    let problem = if value.is_empty() {
        "it is empty"
    } else if value.chars().count() > longest {
        "it is too long"
    } else if value.starts_with('-') || value.ends_with('-') {
        "it begins or ends with a hyphen"
    } else if !value
        .bytes()
        .all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-')
    {
        "only a-z, 0-9 and hyphens may be in it"
    } else {
        return Ok(());
    };
    Err(IdError::NotALabel {
        value: value.chars().take(80).collect(),
        problem,
    })
}

/// An environment's name: a DNS label of at most [`MAX_ENVIRONMENT_NAME`] characters.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct EnvironmentName(String);

impl EnvironmentName {
    /// The name as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for EnvironmentName {
    type Err = IdError;
    fn from_str(value: &str) -> Result<Self, IdError> {
        check_label(value, MAX_ENVIRONMENT_NAME)?;
        Ok(Self(value.to_owned()))
    }
}

/// A service's name: letters, digits, `_`, `.` and `-`, beginning with a letter or a digit, as
/// the Compose specification has it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct ServiceName(String);

impl ServiceName {
    /// The name as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for ServiceName {
    type Err = IdError;
    fn from_str(value: &str) -> Result<Self, IdError> {
        let problem = if value.is_empty() {
            "it is empty"
        } else if value.len() > 63 {
            "it is longer than 63 characters"
        } else if !value.starts_with(|c: char| c.is_ascii_alphanumeric()) {
            "it must begin with a letter or a digit"
        } else if !value
            .bytes()
            .all(|b| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'.' | b'-'))
        {
            "only letters, digits, `_`, `.` and `-` may be in it"
        } else {
            return Ok(Self(value.to_owned()));
        };
        Err(IdError::NotALabel {
            value: value.chars().take(80).collect(),
            problem,
        })
    }
}

macro_rules! text_conversions {
    ($type:ty) => {
        impl TryFrom<String> for $type {
            type Error = IdError;
            fn try_from(value: String) -> Result<Self, IdError> {
                value.parse()
            }
        }
        impl From<$type> for String {
            fn from(name: $type) -> String {
                name.0
            }
        }
        impl fmt::Display for $type {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.pad(&self.0)
            }
        }
    };
}
text_conversions!(EnvironmentName);
text_conversions!(ServiceName);

/// A seat's number, from 1. Displayed with two digits at least, as it stands in names.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "u32", into = "u32")]
pub struct SeatNumber(NonZeroU32);

impl SeatNumber {
    /// The first seat.
    pub const FIRST: Self = Self(NonZeroU32::MIN);

    /// A seat number, where `value` is in 1 to [`MAX_SEATS`].
    pub fn new(value: u32) -> Option<Self> {
        if value > MAX_SEATS {
            return None;
        }
        NonZeroU32::new(value).map(Self)
    }

    /// The number, from 1.
    pub fn get(self) -> u32 {
        self.0.get()
    }

    /// How many seats come before this one.
    pub fn index(self) -> usize {
        self.0.get() as usize - 1
    }
}

impl fmt::Display for SeatNumber {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&format!("{:02}", self.0))
    }
}

impl FromStr for SeatNumber {
    type Err = IdError;
    fn from_str(value: &str) -> Result<Self, IdError> {
        value
            .parse()
            .ok()
            .and_then(Self::new)
            .ok_or_else(|| IdError::NotASeat(value.chars().take(80).collect()))
    }
}

impl TryFrom<u32> for SeatNumber {
    type Error = IdError;
    fn try_from(value: u32) -> Result<Self, IdError> {
        Self::new(value).ok_or_else(|| IdError::NotASeat(value.to_string()))
    }
}

impl From<SeatNumber> for u32 {
    fn from(seat: SeatNumber) -> u32 {
        seat.get()
    }
}

/// A selection of seats as `--seats` takes it: `1-5,8,12-`. The default is every seat.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SeatSet(Vec<(SeatNumber, SeatNumber)>);

impl SeatSet {
    /// Every seat.
    pub fn all() -> Self {
        "1-".parse().expect("an open range is a selection")
    }

    /// Whether `seat` is among the selected.
    pub fn contains(&self, seat: SeatNumber) -> bool {
        self.0
            .iter()
            .any(|&(first, last)| first <= seat && seat <= last)
    }

    /// The highest number that is named explicitly, to check against how many there are.
    pub fn highest_named(&self) -> Option<SeatNumber> {
        let open_end = SeatNumber::new(MAX_SEATS);
        self.0
            .iter()
            .map(|&(first, last)| if Some(last) == open_end { first } else { last })
            .max()
    }

    /// Whether this selects every seat there can be.
    pub fn is_all(&self) -> bool {
        self.0
            .iter()
            .any(|&(first, last)| first.get() == 1 && last.get() == MAX_SEATS)
    }
}

impl Default for SeatSet {
    fn default() -> Self {
        Self::all()
    }
}

impl FromStr for SeatSet {
    type Err = IdError;
    fn from_str(text: &str) -> Result<Self, IdError> {
        let mut ranges = Vec::new();
        for part in text.split(',') {
            let part = part.trim();
            let wrong = |problem| IdError::NotASelection {
                part: part.chars().take(80).collect(),
                problem,
            };
            let number = |text: &str| {
                text.trim()
                    .parse::<SeatNumber>()
                    .map_err(|_| wrong("seats are numbered from 1 to 10000"))
            };
            let range = match part.split_once('-') {
                None => {
                    let seat = number(part)?;
                    (seat, seat)
                }
                Some((first, "")) => (
                    number(first)?,
                    SeatNumber::new(MAX_SEATS).expect("the highest seat is a seat"),
                ),
                Some((first, last)) => (number(first)?, number(last)?),
            };
            if range.1 < range.0 {
                return Err(wrong("it ends before it begins"));
            }
            ranges.push(range);
        }
        Ok(Self(ranges))
    }
}
