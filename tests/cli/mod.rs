//! What needs no engine: it is nowhere in these tests, and whatever reaches for it fails.

mod bad_files;
mod bundles;
mod configuration;
mod export;
mod extend;
mod help;
mod interruption;
mod keys;
mod offline;
mod schedule;
mod schemas;
mod unreachable;
