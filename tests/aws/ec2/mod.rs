//! Seats on EC2: the real program, before an emulator whose instances answer over SSH.

pub mod lab;

mod account;
mod buckets;
mod calls;
mod event;
mod kill;
mod late;
mod look;
mod many;
mod operate;
mod others;
mod second_look;
mod shortage;
mod sweep;
mod two;
