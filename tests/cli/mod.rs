//! What needs no engine: it is nowhere in these tests, and whatever reaches for it fails.

mod bad_files;
mod bundles;
mod configuration;
mod help;
mod keys;
mod schemas;
mod unreachable;
