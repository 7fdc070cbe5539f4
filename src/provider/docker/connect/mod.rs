//! Finding and reaching the engine that the `docker` command would use.

pub mod client;
pub mod context;
pub mod endpoint;
pub mod error;
pub mod host;
pub mod tunnel;
pub mod version;

pub use client::{Engine, connect};
pub use endpoint::{Endpoint, EndpointKind, resolve};
pub use error::{ConnectError, Reason};
pub use version::ApiVersion;
