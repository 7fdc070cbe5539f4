//! What AWS calls what the plan names: ids are AWS's to give, and later steps need them.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

use super::scheme::AwsKind;
use crate::engine::{Failure, FailureClass};
use crate::plan::Key;

/// How long what was made may be unknown to other services.
const SPREADING: Duration = Duration::from_secs(120);

/// The ids of what was found or made.
#[derive(Debug)]
pub struct Ids {
    known: Mutex<HashMap<Key<AwsKind>, Arc<str>>>,
    begun: Instant,
}

impl Default for Ids {
    fn default() -> Self {
        Self {
            known: Mutex::default(),
            begun: Instant::now(),
        }
    }
}

impl Ids {
    /// Notes the id of a resource.
    pub fn note(&self, key: Key<AwsKind>, id: impl Into<Arc<str>>) {
        self.lock().insert(key, id.into());
    }

    /// The id of a resource.
    ///
    /// # Errors
    /// Nothing of that name was found or made.
    pub fn get(&self, key: &Key<AwsKind>) -> Result<Arc<str>, Failure> {
        self.lock().get(key).cloned().ok_or_else(|| {
            Failure::new(FailureClass::NotFound, "plan", format!("there is no {key}"))
        })
    }

    /// Forgets all: what is there is looked at anew.
    pub fn clear(&self) {
        self.lock().clear();
    }

    /// Whether something of it may have been made so shortly before `now` that not everybody knows it.
    pub fn is_young(&self, now: Instant) -> bool {
        now.duration_since(self.begun) < SPREADING
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, HashMap<Key<AwsKind>, Arc<str>>> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
