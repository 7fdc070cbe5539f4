//! What AWS calls what the plan names: ids are AWS's to give, and later steps need them.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use super::scheme::AwsKind;
use crate::engine::{Failure, FailureClass};
use crate::plan::Key;

/// The ids of what was found or made.
#[derive(Debug, Default)]
pub struct Ids(Mutex<HashMap<Key<AwsKind>, Arc<str>>>);

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

    fn lock(&self) -> std::sync::MutexGuard<'_, HashMap<Key<AwsKind>, Arc<str>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
