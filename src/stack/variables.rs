//! Where the value of a stack's variable comes from.

use std::collections::BTreeMap;

use indexmap::IndexMap;

use super::hosts::{self, Hosts};
use super::interpolate::Problem;
use crate::model::{EnvironmentName, SeatVariable};

/// The names that every stack has, for suggestions.
const OWN_NAMES: [&str; 4] = [
    "SEATBOX_NAME",
    "SEATBOX_SEAT",
    "SEATBOX_SEAT_PADDED",
    "SEATBOX_GROUP",
];

/// The sources of variables, in the order in which they are asked: a seat's own, the environment's
/// name, the services' hosts, `stack.variables`, the process environment, and the `.env` beside the stack file.
#[derive(Debug, Clone, Copy)]
pub struct Variables<'a> {
    /// What `SEATBOX_NAME` is.
    pub environment: &'a EnvironmentName,
    /// What `SEATBOX_HOST_<SERVICE>` is.
    pub hosts: &'a Hosts,
    /// `stack.variables` of the environment file.
    pub stack: &'a IndexMap<String, String>,
    /// The process environment.
    pub process: &'a BTreeMap<String, String>,
    /// The `.env` beside the stack file, or, inside an env file, what stands above in it.
    pub dotenv: &'a IndexMap<String, String>,
}

/// What a variable is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Found<'a> {
    /// A value that each seat has of its own.
    Seat(SeatVariable),
    /// The same for every seat; it may be empty.
    Value(&'a str),
    /// From an env file, already interpolated: a seat's variables may be marked in it.
    Marked(&'a str),
    /// Nothing sets it.
    Unset,
}

impl<'a> Variables<'a> {
    /// Looks `name` up.
    ///
    /// # Errors
    ///
    /// Where the name begins with `SEATBOX_` and is none of ours, since that is a mistake and
    /// never somebody else's variable.
    pub fn find(&self, name: &str) -> Result<Found<'a>, Problem> {
        if let Some(variable) = SeatVariable::from_name(name) {
            return Ok(Found::Seat(variable));
        }
        if name == "SEATBOX_NAME" {
            return Ok(Found::Value(self.environment.as_str()));
        }
        if let Some(service) = name.strip_prefix(hosts::PREFIX) {
            return self.hosts.find(service).map(Found::Value);
        }
        if name.starts_with("SEATBOX_") {
            let hint = match closest(name, OWN_NAMES) {
                Some(right) => format!("did you mean `{right}`?"),
                None => format!(
                    "there are {}, SEATBOX_SECRET_<NAME> and SEATBOX_HOST_<SERVICE>",
                    OWN_NAMES.join(", ")
                ),
            };
            return Err(Problem::new(format!("Seatbox has no variable `{name}`")).hint(hint));
        }
        let value = self.stack.get(name).or_else(|| self.process.get(name));
        Ok(match (value, self.dotenv.get(name)) {
            (Some(value), _) => Found::Value(value),
            (None, Some(value)) => Found::Marked(value),
            (None, None) => Found::Unset,
        })
    }
}

/// The one of `candidates` that is most like `word`, where one is like it at all.
pub(super) fn closest<'c>(
    word: &str,
    candidates: impl IntoIterator<Item = &'c str>,
) -> Option<&'c str> {
    candidates
        .into_iter()
        .map(|candidate| (strsim::jaro_winkler(word, candidate), candidate))
        .filter(|(likeness, _)| *likeness > 0.85)
        .max_by(|a, b| a.0.total_cmp(&b.0))
        .map(|(_, candidate)| candidate)
}

#[cfg(test)]
pub(super) mod fixture {
    use super::*;

    pub struct Values(IndexMap<String, String>);

    impl Values {
        pub fn new(pairs: &[(&str, &str)]) -> Self {
            Self(
                pairs
                    .iter()
                    .map(|(k, v)| ((*k).to_owned(), (*v).to_owned()))
                    .collect(),
            )
        }
    }

    pub fn with<T>(values: &Values, run: impl FnOnce(&Variables<'_>) -> T) -> T {
        run(&Variables {
            environment: &"demo".parse().expect("a name"),
            hosts: &Hosts::default(),
            stack: &values.0,
            process: &BTreeMap::new(),
            dotenv: &IndexMap::new(),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sources_are_asked_in_their_order() {
        let name = "demo".parse().expect("a name");
        let map = |pairs: &[(&str, &str)]| -> Vec<(String, String)> {
            pairs
                .iter()
                .map(|(k, v)| ((*k).into(), (*v).into()))
                .collect()
        };
        let stack = map(&[("A", "stack"), ("SEATBOX_SEAT", "9")])
            .into_iter()
            .collect();
        let process = map(&[("A", "process"), ("B", "process"), ("SEATBOX_NAME", "x")]);
        let process = process.into_iter().collect();
        let dotenv = map(&[("A", "dotenv"), ("B", "dotenv"), ("C", "dotenv")]);
        let dotenv = dotenv.into_iter().collect();
        let variables = Variables {
            environment: &name,
            hosts: &Hosts::default(),
            stack: &stack,
            process: &process,
            dotenv: &dotenv,
        };
        for (name, expected) in [
            ("A", Found::Value("stack")),
            ("B", Found::Value("process")),
            ("C", Found::Marked("dotenv")),
            ("D", Found::Unset),
            ("SEATBOX_NAME", Found::Value("demo")),
            ("SEATBOX_SEAT", Found::Seat(SeatVariable::Seat)),
            (
                "SEATBOX_SECRET_PG",
                Found::Seat(SeatVariable::Secret("pg".into())),
            ),
        ] {
            assert_eq!(variables.find(name), Ok(expected), "{name}");
        }
        assert!(variables.find("SEATBOX_SECRET_").is_err());
    }
}
