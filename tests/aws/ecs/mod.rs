//! Seats as tasks.

mod account;
mod buckets;
mod calls;
mod event;
mod exec;
mod instances;
mod kill;
pub mod lab;
mod late;
mod logs;
mod many;
mod others;
mod plugin;
mod second_look;
mod shortage;
mod sweep;
mod terminal;
mod two;
