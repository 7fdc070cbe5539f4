//! Whatever carries our tags, by the Resource Groups Tagging API: one list for all services, whose
//! own lists it knows nothing of. It lists what is gone for a while, so that each thing on it is
//! asked for at its own service.

mod ec2;
mod ecs;
mod list;
mod name;
mod others;
mod there;

pub use list::census;
pub use there::still_there;
