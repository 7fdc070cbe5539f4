//! What to do: a pure function from what is wanted and what exists to a graph of actions.
//!
//! Nothing here does I/O or knows a provider. A provider describes its resources by a [`Scheme`]:
//! which kinds there are, and in which steps one is brought up. Everything else (what is missing,
//! what changed, what must be replaced because of it, in which order) is decided here, once for
//! all providers.

pub mod action;
pub mod converge;
pub mod resource;
pub mod rest;
pub mod teardown;
pub mod text;

#[cfg(test)]
pub(crate) mod tests;

pub use action::{Action, ActionId, Blocked, Cause, Operation, Plan};
pub use converge::{Mode, converge};
pub use resource::{
    Bond, Desired, Fingerprint, Found, Key, Kind, Lane, Need, OnReset, Scheme, Stage, Step,
};
pub use rest::{Left, Old, Rest};
pub use teardown::teardown;
