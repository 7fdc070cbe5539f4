//! Seats as tasks.

mod event;
mod exec;
mod faults;
mod lab;
mod logs;
mod plugin;
mod terminal;
mod second_look;
