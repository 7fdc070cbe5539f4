//! What was refused for want of a quota: nobody asks again.

use std::sync::{Mutex, PoisonError};

use crate::engine::Failure;

/// The refusal of a run's launches, where there was one.
#[derive(Debug, Default)]
pub struct Quotas(Mutex<Option<Failure>>);

impl Quotas {
    /// Why it is of no use to ask.
    pub fn used_up(&self) -> Option<Failure> {
        self.0
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }

    /// Notes a refusal.
    pub fn note(&self, failure: &Failure) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Some(failure.clone());
    }
}
