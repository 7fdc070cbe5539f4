//! The event key, and every password that follows from it.
//!
//! Nothing but the key is kept. A seat's secrets are computed from it whenever they are needed, so
//! that any machine with the key and the environment file knows the same ones.

pub mod derive;
pub mod key;
#[cfg(feature = "aws")]
pub mod ssh;
pub mod store;

pub use derive::derive;
pub use key::{EventKey, KeyError};
#[cfg(feature = "aws")]
pub use ssh::SshKey;
