//! AWS on loopback: an emulator, and before it a proxy that is as strict as AWS where the emulator is
//! not, and that lets calls go wrong.

pub mod answer;
pub mod call;
pub mod client;
pub mod counts;
pub mod emulator;
mod listing;
pub mod proxy;
pub mod settings;
mod upstream;
mod xml;
