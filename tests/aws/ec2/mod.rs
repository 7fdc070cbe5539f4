//! Seats on EC2: the real program, before an emulator whose instances answer over SSH.

pub mod lab;

mod event;
