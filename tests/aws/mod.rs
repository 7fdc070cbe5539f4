//! What needs an emulator of AWS, which each group of tests starts for itself.

mod emulator;
mod proxy;
