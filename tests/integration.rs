//! The one integration test binary. What it needs and does not find makes it fail: a test that is
//! skipped is none.

mod aws;
mod cli;
mod docker;
mod support;
