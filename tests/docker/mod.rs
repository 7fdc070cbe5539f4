//! Against the real engine, as the `docker` command finds it.

mod support;

mod connect;
mod exec;
mod logs;
