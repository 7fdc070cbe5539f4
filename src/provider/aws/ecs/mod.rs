//! Seats on ECS: a task for each, whose containers are the stack's services.

mod container;
pub mod definition;
mod hosts;
pub mod left_out;
pub mod parameters;
pub mod request;
pub mod size;
pub mod template;
pub mod translate;
pub mod unsupported;

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
