//! Seats on EC2: an instance for each, which runs the stack by Docker Compose.

pub mod unsupported;

#[cfg(test)]
mod unsupported_tests;
