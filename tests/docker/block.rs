//! Ports and addresses of one test's own, however many run at once.

use std::fs::{DirBuilder, File, OpenOptions};
use std::net::{Ipv4Addr, TcpListener};

use ipnet::Ipv4Net;

/// How many ports a block has: enough for 23 seats with 5 each.
pub const PORTS: u16 = 128;
const BLOCKS: u16 = 64;
const FIRST_PORT: u16 = 10_000;

/// A block of host ports and of addresses that no other test has while this one lives.
pub struct Block {
    /// The first port of 128 that nobody listens on.
    pub port: u16,
    /// A /22 in 10.100.0.0/14: 32 networks of a seat's usual size.
    pub subnet: Ipv4Net,
    /// Locked, until the test's process ends at the latest.
    _lock: File,
}

impl Block {
    /// A block that is free.
    pub fn claim() -> Self {
        let begin = rand::random::<u16>() % BLOCKS;
        (0..BLOCKS)
            .find_map(|step| Self::try_claim((begin + step) % BLOCKS))
            .expect("a block of ports is free")
    }

    fn try_claim(number: u16) -> Option<Self> {
        let directory = std::env::temp_dir().join("seatbox-tests");
        DirBuilder::new().recursive(true).create(&directory).ok()?;
        let lock = OpenOptions::new()
            .create(true)
            .truncate(false)
            .write(true)
            .open(directory.join(format!("block-{number}")))
            .ok()?;
        lock.try_lock().ok()?;
        let port = FIRST_PORT + number * PORTS;
        let free =
            (port..port + PORTS).all(|port| TcpListener::bind((Ipv4Addr::LOCALHOST, port)).is_ok());
        // 10.100.0.0 plus so many times 1024 addresses.
        let address =
            Ipv4Addr::from(u32::from(Ipv4Addr::new(10, 100, 0, 0)) + u32::from(number) * 1024);
        free.then(|| Self {
            port,
            subnet: Ipv4Net::new(address, 22).expect("a prefix length"),
            _lock: lock,
        })
    }
}
