//! A side of the race in the rounds: who it is, and what it does when it is its turn.

use std::sync::Arc;

use seatbox::model::Environment;

use crate::Result;
use crate::bare::Bare;
use crate::compose::Compose;
use crate::initialised::PASSWORD;
use crate::seatbox::Seatbox;

/// A side, with how many it works on at once.
pub struct Contestant {
    /// Its name in the results.
    pub name: String,
    /// How many projects or seats it works on at once, where it is told so.
    pub width: Option<usize>,
    /// What it does.
    pub side: Side,
}

/// Who it is.
pub enum Side {
    /// A build of Seatbox.
    Seatbox(Seatbox),
    /// Docker Compose.
    Compose(Compose),
    /// A bare loop of calls; whether the database's data is in its image.
    Bare(Bare, bool),
}

impl Contestant {
    fn width(&self) -> usize {
        self.width.unwrap_or(1)
    }

    /// Brings everything up.
    pub async fn up(&self) -> Result {
        match &self.side {
            Side::Seatbox(seatbox) => seatbox.up(None, None).await,
            Side::Compose(compose) => compose.up(self.width()).await,
            Side::Bare(bare, _) => bare.up(self.width()).await,
        }
    }

    /// Takes everything away.
    pub async fn down(&self) -> Result {
        match &self.side {
            Side::Seatbox(seatbox) => seatbox.down().await,
            Side::Compose(compose) => compose.down(self.width()).await,
            Side::Bare(bare, _) => bare.down(self.width()).await,
        }
    }

    /// Its environment.
    pub fn environment(&self) -> Result<Arc<Environment>> {
        match &self.side {
            Side::Seatbox(seatbox) => seatbox.environment(),
            Side::Compose(compose) => Ok(compose.environment()),
            Side::Bare(bare, _) => Ok(bare.environment()),
        }
    }

    /// The database's password where it came with the image and is every seat's.
    pub fn common_password(&self) -> Option<&'static str> {
        matches!(self.side, Side::Bare(_, true)).then_some(PASSWORD)
    }

    /// Whether its `up` claims that seats are ready; the bare loop's have only been started.
    pub fn claims_ready(&self) -> bool {
        !matches!(self.side, Side::Bare(..))
    }
}
