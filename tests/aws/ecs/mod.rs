//! Seats as tasks.

mod account;
mod buckets;
mod calls;
mod event;
mod kill;
pub mod lab;
mod late;
mod many;
mod others;
mod second_look;
mod shortage;
mod sweep;
mod two;
