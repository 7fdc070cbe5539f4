//! AWS on loopback: an emulator, and before it a proxy that is as strict as AWS where the emulator is
//! not, and that lets calls go wrong.

pub mod answer;
pub mod call;
pub mod capacity;
pub mod client;
pub mod clock;
pub mod counts;
mod dependencies;
pub mod emulator;
pub mod exec;
mod fargate;
pub mod faults;
pub mod images;
pub mod lifecycle;
pub mod lingering;
mod listing;
mod mend;
pub mod pages;
pub mod proxy;
pub mod published;
mod quotas;
mod rules;
pub mod settings;
mod shape;
mod streams;
mod tasks;
pub mod throttle;
pub mod tokens;
mod upstream;
pub mod visibility;
pub mod xml;
