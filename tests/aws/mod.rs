//! What needs an emulator of AWS, which each test starts for itself: first of all that the emulator,
//! and the proxy before it, are as strict as AWS.

mod clock;
mod dependencies;
mod emulator;
mod faults;
mod limits;
mod made;
mod pages;
mod proxy;
#[cfg(feature = "aws")]
mod sdk;
mod shortage;
mod time;
mod tokens;
