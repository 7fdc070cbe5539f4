//! Seats on EC2: the real program, before an emulator whose instances answer over SSH.

mod lab;

mod event;
mod second_look;
