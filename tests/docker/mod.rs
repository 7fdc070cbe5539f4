//! Against the real engine, as the `docker` command finds it.

mod block;
mod event;
mod private_engine;
mod relay;
mod support;

mod apart;
mod bundle_faults;
mod bundles;
mod connect;
mod exec;
mod faults;
#[cfg(feature = "aws")]
mod guest_stack;
mod logs;

mod clocks;
mod convergence;
mod deadlines;
mod interruption;
mod isolation;
mod labels;
mod plan;
mod ports;
mod readiness;
mod removal;
mod reset;
mod secrets;
mod snapshot;
mod use_of_seats;
mod whole_event;
