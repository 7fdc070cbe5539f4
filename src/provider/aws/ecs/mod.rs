//! Seats on ECS: a task for each, whose containers are the stack's services.

mod apply;
mod command_line;
mod container;
pub mod definition;
mod delete;
mod desired;
mod endpoint;
mod exec;
mod families;
mod follow;
mod hosts;
mod launch;
pub mod left_out;
mod logs;
mod observe;
mod operate;
pub mod parameters;
mod plugin;
pub mod request;
mod roles;
mod secrets;
pub mod size;
mod task;
pub mod template;
pub mod translate;
pub mod unsupported;
mod watch;

pub use apply::Maker;
pub use delete::{delete, delete_parameters};
pub use desired::{TaskSettings, desired};
pub use launch::run_task;
pub use observe::{MOST_DESCRIBED, observe, observe_tasks};
pub use operate::{attach, logs};
pub use roles::RoleKind;
pub use task::{Task, TaskState};
pub use watch::TaskWatch;

#[cfg(test)]
mod container_tests;
#[cfg(test)]
mod deadline_tests;
#[cfg(test)]
pub(in crate::provider::aws) mod fixture;
#[cfg(test)]
mod request_tests;
#[cfg(test)]
mod translate_tests;
#[cfg(test)]
mod unsupported_tests;
