//! Images: which are there, where the others come from, and getting them.

pub mod archive;
pub mod build;
pub mod bundled;
pub mod choice;
pub mod fetch;
pub mod pull;
pub mod recipe;
pub mod reference;
pub mod resolve;

pub use choice::{Choice, Origin};
pub use fetch::Fetch;
pub use recipe::{Recipe, Recipes};
pub use resolve::{resolve, resolve_unasked};
