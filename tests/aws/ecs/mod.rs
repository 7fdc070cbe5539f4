//! Seats as tasks.

mod event;
mod lab;
