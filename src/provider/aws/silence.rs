//! A service of AWS that answers nobody any more. That is found out once, and not anew by every call,
//! each of which would wait as long as a call may take.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use tokio::time::Instant;

use super::limits::Service;

/// Which services answer, as far as a session's calls can tell.
#[derive(Debug, Default)]
pub struct Silence(Mutex<HashMap<Service, Line>>);

/// What is known of one service.
#[derive(Debug, Default)]
struct Line {
    /// When it answered last, be it with an error.
    answered: Option<Instant>,
    is_silent: bool,
    /// Whether a call is under way to find out whether that is over.
    is_probed: bool,
}

/// A call that may be made now.
#[derive(Debug)]
pub struct Turn<'a> {
    silence: &'a Silence,
    service: Service,
    begun: Instant,
    is_probe: bool,
}

impl Silence {
    /// The turn of a call that is about to be made; none where nobody answers and another call is
    /// under way to find out whether that is over.
    pub fn turn(&self, service: Service) -> Option<Turn<'_>> {
        let is_probe = self.of(service, |line| match (line.is_silent, line.is_probed) {
            (true, true) => None,
            (is_silent, _) => {
                line.is_probed = is_silent;
                Some(is_silent)
            }
        })?;
        Some(Turn {
            silence: self,
            service,
            begun: Instant::now(),
            is_probe,
        })
    }

    fn of<T>(&self, service: Service, look: impl FnOnce(&mut Line) -> T) -> T {
        let mut lines = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        look(lines.entry(service).or_default())
    }
}

impl Turn<'_> {
    /// Somebody answered.
    pub fn answered(&self) {
        self.silence.of(self.service, |line| {
            line.answered = Some(Instant::now());
            line.is_silent = false;
        });
    }

    /// Nobody did in time. Whether nobody answered any other call either since this one began: it is
    /// the service then, and not the call.
    pub fn is_silent(&self) -> bool {
        self.silence.of(self.service, |line| {
            let heard = line.answered.is_some_and(|at| at > self.begun);
            line.is_silent |= !heard;
            !heard
        })
    }
}

impl Drop for Turn<'_> {
    fn drop(&mut self) {
        if self.is_probe {
            self.silence.of(self.service, |line| line.is_probed = false);
        }
    }
}
