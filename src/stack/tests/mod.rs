//! The whole reader: tables of what is accepted and refused, and properties.

mod accepted;
mod fixture;
mod hosts;
mod properties;
mod refused;
mod template;
mod whole;
