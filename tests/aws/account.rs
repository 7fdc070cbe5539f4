//! An account of AWS, with somebody's desk beside it.

use std::process::Command;

use crate::support::aws::client::{Client, REGION};
use crate::support::aws::emulator::Emulator;
use crate::support::aws::proxy::Proxy;
use crate::support::desk::{Desk, Ran, run};

/// A stack that any provider can bring up.
pub const STACK: &str = "
services:
  app: {image: golang:1.23-bookworm, ports: ['8080'], depends_on: [db]}
  db: {image: postgres:15}
";

/// From where the seats are reached.
pub const VENUE: &str = "aws: {venue: [203.0.113.0/24]}\n";

/// An emulator behind a proxy that is as strict as AWS, and the program beside it.
pub struct Account {
    pub emulator: Emulator,
    pub proxy: Proxy,
    pub desk: Desk,
}

impl Account {
    /// An empty one, and an environment file with those settings.
    pub fn new(settings: &str) -> Self {
        let emulator = Emulator::start();
        let proxy = Proxy::before(&emulator);
        proxy.set(|strict| strict.be_strict());
        let desk = Desk::new();
        write(&desk, settings);
        Self {
            emulator,
            proxy,
            desk,
        }
    }

    /// One to make things by hand with, past the proxy, in that region.
    pub fn client(&self, region: &str) -> Client {
        let mut client = self.emulator.client();
        client.region = region.to_owned();
        client
    }

    /// The program, with credentials for this account and no other setting of AWS's.
    pub fn seatbox(&self, arguments: &[&str]) -> Command {
        let mut command = self.desk.seatbox();
        for (name, _) in std::env::vars_os() {
            if name.to_string_lossy().starts_with("AWS_") {
                command.env_remove(name);
            }
        }
        command
            .env("HOME", self.desk.path(""))
            .env("AWS_ENDPOINT_URL", self.proxy.url())
            .env("AWS_ACCESS_KEY_ID", "test")
            .env("AWS_SECRET_ACCESS_KEY", "test")
            .env("AWS_REGION", REGION)
            .env("AWS_EC2_METADATA_DISABLED", "true")
            .env("NO_PROXY", "127.0.0.1")
            .args(arguments);
        command
    }

    /// Runs the program to its end.
    pub fn run(&self, arguments: &[&str]) -> Ran {
        run(&mut self.seatbox(arguments))
    }
}

/// Writes an environment file with those settings to a desk, and a stack.
pub fn write(desk: &Desk, settings: &str) {
    desk.write("stack.yaml", STACK);
    desk.write(
        "seatbox.yaml",
        format!("version: 1\nname: go-lab\nstack: stack.yaml\n{settings}"),
    );
}
