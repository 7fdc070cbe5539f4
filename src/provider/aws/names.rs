//! What things of ours are called on AWS.

use crate::model::{EnvironmentName, SeatNumber};

/// What belongs to a whole environment.
pub fn shared(environment: &EnvironmentName) -> String {
    format!("seatbox-{environment}")
}

/// A subnet, by its place among the zones.
pub fn subnet(environment: &EnvironmentName, zone: usize) -> String {
    format!("seatbox-{environment}-{}", zone + 1)
}

/// What belongs to one seat: its instance, and what runs in it.
pub fn seat(environment: &EnvironmentName, seat: SeatNumber) -> String {
    format!("seatbox-{environment}-{seat}")
}

/// The parameter by which one run says that it makes the environment's network.
pub fn claim(environment: &EnvironmentName) -> String {
    format!("{PARAMETERS}{environment}/claim")
}

/// The log group of an environment's tasks.
pub fn log_group(environment: &EnvironmentName) -> String {
    format!("{LOG_GROUPS}{environment}")
}

/// What the names of all our log groups begin with.
pub const LOG_GROUPS: &str = "/seatbox/";

/// What the names of all our parameters begin with.
pub const PARAMETERS: &str = "/seatbox/";
