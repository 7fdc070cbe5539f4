//! Seats as tasks.

mod event;
mod exec;
mod faults;
mod instances;
mod lab;
mod logs;
mod plugin;
mod second_look;
mod terminal;
