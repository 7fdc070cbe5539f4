//! What a stack's variables are for a seat.

use secrecy::ExposeSecret as _;

use crate::model::{Environment, SeatNumber, SeatValues, SeatVariable};
use crate::secret::{EventKey, derive};

/// The values of one seat's variables.
pub fn seat_values<'a>(
    environment: &'a Environment,
    key: &'a EventKey,
    seat: SeatNumber,
) -> impl SeatValues + 'a {
    Values {
        environment,
        key,
        seat,
    }
}

/// One seat's own values.
struct Values<'a> {
    environment: &'a Environment,
    key: &'a EventKey,
    seat: SeatNumber,
}

impl SeatValues for Values<'_> {
    fn value(&self, variable: &SeatVariable) -> String {
        match variable {
            SeatVariable::Seat => self.seat.get().to_string(),
            SeatVariable::SeatPadded => self.seat.to_string(),
            SeatVariable::Group => self.environment.group_of(self.seat).to_string(),
            SeatVariable::Secret(purpose) => {
                derive(self.key, &self.environment.name, self.seat, purpose, 0)
                    .expose_secret()
                    .to_owned()
            }
        }
    }
}
