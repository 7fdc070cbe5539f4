//! Seats on AWS, on an emulator that each test starts for itself; and first of all that the emulator,
//! and the proxy before it, are as strict as AWS.

mod account;
mod alone;
mod buckets;
mod callers;
mod clock;
mod dependencies;
mod ec2;
mod ecs;
mod emulator;
mod faults;
pub mod guest;
mod kills;
mod limits;
mod made;
mod organizers;
mod pages;
mod policy;
mod preflight;
mod proxy;
mod sdk;
mod shortage;
mod silence;
mod time;
mod tokens;
mod unreliable;
mod unsupported;
