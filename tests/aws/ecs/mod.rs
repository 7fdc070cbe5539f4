//! Seats as tasks.

mod event;
mod faults;
mod lab;
mod second_look;
