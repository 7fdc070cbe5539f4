//! First starts that are made once for all seats.
//!
//! What a service's first start leaves in its volumes is taken once, put into an image on top of the
//! service's own, and found there by every new volume: an engine fills a volume that is empty with
//! what its image has at that place.

pub mod copies;
mod layer;
mod make;
pub mod plan;
mod trial;

pub use make::make;
