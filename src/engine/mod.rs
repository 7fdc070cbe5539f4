//! Walking a plan: bounded concurrency, retries, and the rule that a seat that fails stops no other.
//!
//! The engine decides nothing and prints nothing: which calls there are is the plan's matter, how
//! one is made is the provider's, and what a person sees is the reporters'.

pub mod event;
pub mod failure;
pub mod outcome;
mod queue;
pub mod retry;
pub mod run;

#[cfg(test)]
mod tests;

pub use event::{ActionLabel, Event, Events, Phase};
pub use failure::{Failure, FailureClass};
pub use outcome::{Outcome, SeatOutcome, SeatResult};
pub use run::{Afterwards, Apply, Progress, run};
