//! Secrets of a seat as parameters of Parameter Store, which a task's containers get by reference.

use indexmap::IndexMap;
use serde::Serialize;

use crate::model::text::Segment;
use crate::model::{EnvironmentName, SeatNumber, SeatVariable, ServiceName, Text};
use crate::secret::derive::SECRET_LENGTH;

/// The most bytes that a parameter of the standard tier holds (Systems Manager user guide,
/// "Parameter tiers").
pub const LONGEST_VALUE: usize = 4096;

/// Where in AWS something is. Nothing here knows a partition, a region or an account by itself.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Account {
    /// `aws`, `aws-cn` or `aws-us-gov`.
    pub partition: String,
    /// The region.
    pub region: String,
    /// The account's number.
    pub id: String,
}

/// A parameter that a seat needs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Parameter<'a> {
    /// What it is for, unique in a seat: its name ends in it.
    pub purpose: &'a str,
    /// What it holds. Rendered with the seat's values it is secret: a SecureString.
    pub text: &'a Text,
}

/// What the names of all parameters of an environment begin with.
pub fn prefix(environment: &EnvironmentName) -> String {
    format!("/seatbox/{environment}/")
}

/// The name of a seat's parameter.
pub fn name(environment: &EnvironmentName, seat: SeatNumber, purpose: &str) -> String {
    format!("{}{seat}/{purpose}", prefix(environment))
}

/// The ARN of the parameter with that name.
pub fn arn(account: &Account, name: &str) -> String {
    let Account {
        partition,
        region,
        id,
    } = account;
    // The name's first slash is the one behind `parameter`.
    format!("arn:{partition}:ssm:{region}:{id}:parameter{name}")
}

/// The parameters of a seat, by their purposes. What several variables have in common is one.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
#[serde(transparent)]
pub struct Purposes(IndexMap<String, Text>);

impl Purposes {
    /// The purpose of the parameter that holds `text`, the value of a service's variable.
    pub fn take(&mut self, service: &ServiceName, variable: &str, text: &Text) -> String {
        if let Some((purpose, _)) = self.0.iter().find(|(_, other)| *other == text) {
            return purpose.clone();
        }
        let purpose = match text.segments() {
            [Segment::Variable(SeatVariable::Secret(purpose))] => purpose.clone(),
            _ => composed(service, variable),
        };
        self.0.insert(purpose.clone(), text.clone());
        purpose
    }

    /// All of them.
    pub fn iter(&self) -> impl Iterator<Item = Parameter<'_>> {
        let each = self.0.iter();
        each.map(|(purpose, text)| Parameter { purpose, text })
    }
}

/// The purpose of a value that is more than one secret. A secret's own has no full stop, so the two
/// never meet; and what can't stand in a parameter's name is written as `-` with its number, so no
/// two variables do.
fn composed(service: &ServiceName, variable: &str) -> String {
    let mut purpose = format!("{service}.");
    for byte in variable.bytes() {
        if byte.is_ascii_alphanumeric() || byte == b'_' {
            purpose.push(char::from(byte));
        } else {
            purpose.push_str(&format!("-{byte:02x}"));
        }
    }
    purpose
}

/// Whether a secret is in `text`.
pub fn is_secret(text: &Text) -> bool {
    let secret = |segment: &Segment| matches!(segment, Segment::Variable(SeatVariable::Secret(_)));
    text.segments().iter().any(secret)
}

/// Whether `text` differs from seat to seat.
pub fn is_per_seat(text: &Text) -> bool {
    text.as_literal().is_none()
}

/// The length of `text` in bytes once the longest values are in it.
pub fn longest(text: &Text) -> usize {
    let of = |segment: &Segment| match segment {
        Segment::Literal(text) => text.len(),
        Segment::Variable(SeatVariable::Secret(_)) => SECRET_LENGTH,
        // A number up to 10000.
        Segment::Variable(_) => 5,
    };
    text.segments().iter().map(of).sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn secret(purpose: &str) -> Text {
        Text::variable(SeatVariable::Secret(purpose.to_owned()))
    }

    #[test]
    fn a_parameter_is_named_by_environment_seat_and_purpose_in_its_own_partition() {
        let environment = "lab".parse().expect("a name");
        let name = name(&environment, SeatNumber::FIRST, "postgres");
        assert_eq!(name, "/seatbox/lab/01/postgres");
        assert!(name.starts_with(&prefix(&environment)));
        let account = Account {
            partition: "aws-cn".to_owned(),
            region: "cn-north-1".to_owned(),
            id: "123456789012".to_owned(),
        };
        assert_eq!(
            arn(&account, &name),
            "arn:aws-cn:ssm:cn-north-1:123456789012:parameter/seatbox/lab/01/postgres"
        );
    }

    #[test]
    fn one_value_is_one_parameter_and_no_two_values_share_one() {
        let app = "app".parse().expect("a name");
        let dotted = "app.X".parse().expect("a name");
        let mixed = Text::from_marked("u:\u{2}SEATBOX_SECRET_PG\u{3}@db");
        let other = Text::from_marked("v:\u{2}SEATBOX_SECRET_PG\u{3}@db");
        let third = Text::from_marked("w:\u{2}SEATBOX_SECRET_PG\u{3}@db");
        let mut purposes = Purposes::default();
        for (service, variable, text, expected) in [
            (&app, "PASSWORD", &secret("pg"), "pg"),
            (&app, "PGPASSWORD", &secret("pg"), "pg"),
            (&app, "URL", &mixed, "app.URL"),
            (&dotted, "URL", &mixed, "app.URL"),
            (&app, "X.URL", &other, "app.X-2eURL"),
            (&dotted, "URL", &third, "app.X.URL"),
        ] {
            assert_eq!(purposes.take(service, variable, text), expected);
        }
        assert_eq!(purposes.iter().count(), 4);
    }

    #[test]
    fn the_longest_value_counts_every_variable_at_its_longest() {
        let text = Text::from_marked("a\u{2}SEATBOX_SECRET_PG\u{3}\u{2}SEATBOX_SEAT\u{3}");
        assert_eq!(longest(&text), 1 + 24 + 5);
        assert!(is_secret(&text) && is_per_seat(&text));
        assert!(!is_secret(&"a".into()) && !is_per_seat(&"a".into()));
    }
}
