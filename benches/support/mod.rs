//! What both races have in common.

pub mod command;
pub mod interruption;
pub mod lines;
pub mod machine;
pub mod markdown;
pub mod named;
pub mod numbers;
