//! The ports that something on this host listens on already, and who: so that a clash is named
//! before a seat is made, not by the engine's error in the middle.
//!
//! Linux tells them in `/proc`; where there is none, nothing is known and nothing clashes.

use std::collections::HashMap;
use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::path::Path;

use crate::model::stack::Protocol;

/// The kernel's `TCP_LISTEN`, as `/proc/net/tcp` writes it.
const TCP_LISTENS: &str = "0A";
/// The kernel's `TCP_CLOSE`, which is what a bound UDP socket without a peer is in.
const UDP_BOUND: &str = "07";

/// A port that is taken on this host.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Listener {
    /// The address it is taken on; the unspecified one is all of them.
    pub address: IpAddr,
    /// The port, 1 to 65535.
    pub port: u16,
    /// The protocol.
    pub protocol: Protocol,
    /// Name and number of the process that holds it, where that may be known.
    pub process: Option<String>,
}

impl fmt::Display for Listener {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let socket = SocketAddr::new(self.address, self.port);
        write!(f, "{socket}/{}", self.protocol.as_str())?;
        match &self.process {
            Some(process) => write!(f, " by {process}"),
            None => Ok(()),
        }
    }
}

/// A line of a socket table: where it listens, and the number its file has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Socket {
    /// The address.
    pub address: IpAddr,
    /// The port.
    pub port: u16,
    /// The number that `/proc/<pid>/fd` names it by; 0 where the kernel holds it.
    pub inode: u64,
}

/// The TCP and UDP ports that are taken on this host now. `proc` is `/proc`; what can't be read
/// there counts as empty, and processes of other users have no name unless this is root.
pub fn listening(proc: &Path) -> Vec<Listener> {
    let tables = [
        ("tcp", Protocol::Tcp, TCP_LISTENS),
        ("tcp6", Protocol::Tcp, TCP_LISTENS),
        ("udp", Protocol::Udp, UDP_BOUND),
        ("udp6", Protocol::Udp, UDP_BOUND),
    ];
    let sockets: Vec<(Protocol, Socket)> = tables
        .into_iter()
        .flat_map(|(file, protocol, state)| {
            let text = std::fs::read_to_string(proc.join("net").join(file)).unwrap_or_default();
            parse_sockets(&text, state)
                .into_iter()
                .map(move |socket| (protocol, socket))
        })
        .collect();
    let holders = holders(proc, sockets.iter().map(|(_, socket)| socket.inode));
    sockets
        .into_iter()
        .map(|(protocol, socket)| Listener {
            address: socket.address,
            port: socket.port,
            protocol,
            process: holders.get(&socket.inode).cloned().flatten(),
        })
        .collect()
}

/// Reads the text of `/proc/net/{tcp,tcp6,udp,udp6}`: the sockets in `state`.
pub fn parse_sockets(text: &str, state: &str) -> Vec<Socket> {
    text.lines()
        .skip(1)
        .filter_map(|line| {
            let fields: Vec<&str> = line.split_whitespace().collect();
            if *fields.get(3)? != state {
                return None;
            }
            let (address, port) = fields.get(1)?.split_once(':')?;
            Some(Socket {
                address: parse_address(address)?,
                port: u16::from_str_radix(port, 16).ok()?,
                inode: fields.get(9)?.parse().ok()?,
            })
        })
        .collect()
}

/// An address as the kernel prints one: 32 bits at a time, each in network order but read as a
/// number of this machine's own byte order.
fn parse_address(hex: &str) -> Option<IpAddr> {
    let word = |at: usize| {
        let number = u32::from_str_radix(hex.get(at..at + 8)?, 16).ok()?;
        Some(number.to_ne_bytes())
    };
    match hex.len() {
        8 => Some(Ipv4Addr::from(word(0)?).into()),
        32 => {
            let mut bytes = [0; 16];
            for (index, chunk) in bytes.chunks_exact_mut(4).enumerate() {
                chunk.copy_from_slice(&word(index * 8)?);
            }
            Some(Ipv6Addr::from(bytes).into())
        }
        _ => None,
    }
}

/// Who holds the sockets of those numbers: `name (process 123)`, as far as it may be seen.
fn holders(proc: &Path, inodes: impl Iterator<Item = u64>) -> HashMap<u64, Option<String>> {
    let mut holders: HashMap<u64, Option<String>> = inodes
        .filter(|inode| *inode != 0)
        .map(|inode| (inode, None))
        .collect();
    if holders.is_empty() {
        return holders;
    }
    let processes = std::fs::read_dir(proc).into_iter().flatten().flatten();
    for process in processes {
        let Some(number) = process
            .file_name()
            .to_str()
            .and_then(|name| name.parse::<u32>().ok())
        else {
            continue;
        };
        let files = std::fs::read_dir(process.path().join("fd"));
        for file in files.into_iter().flatten().flatten() {
            let holder = std::fs::read_link(file.path())
                .ok()
                .and_then(|target| socket_inode(target.to_str()?))
                .and_then(|inode| holders.get_mut(&inode));
            // The first is named: a listening socket that is shared belongs to one service.
            if let Some(holder @ None) = holder {
                let name = std::fs::read_to_string(process.path().join("comm"));
                let name = name.as_deref().map_or("process", str::trim);
                *holder = Some(format!("{name} (process {number})"));
            }
        }
    }
    holders
}

fn socket_inode(target: &str) -> Option<u64> {
    target
        .strip_prefix("socket:[")?
        .strip_suffix(']')?
        .parse()
        .ok()
}

#[cfg(test)]
#[cfg(target_endian = "little")]
mod tests {
    use std::os::unix::fs::symlink;

    use super::*;

    const HEAD: &str = "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode\n";
    const TCP: &str = "\
   0: 00000000:07E8 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 632 1 0000 100 0 0 10 0
   1: 0100007F:1538 00000000:0000 0A 00000000:00000000 00:00000000 00000000   999        0 700 1 0000 100 0 0 10 0
   2: 020200C0:07E8 010200C0:D431 01 00000000:00000000 00:00000000 00000000     0        0 701 1 0000 100 0 0 10 0
";
    const TCP6: &str = "   0: 00000000000000000000000001000000:0016 00000000000000000000000000000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 800 1 0000 100 0 0 10 0\n";
    const UDP: &str = "   9: 3500007F:0035 00000000:0000 07 00000000:00000000 00:00000000 00000000   101        0 900 2 0000 0\n";

    #[test]
    fn sockets_that_listen_are_found_with_their_holders() {
        let proc = tempfile::tempdir().unwrap();
        let at = |path: &str| proc.path().join(path);
        std::fs::create_dir_all(at("net")).unwrap();
        std::fs::create_dir_all(at("41/fd")).unwrap();
        std::fs::create_dir_all(at("self/fd")).unwrap();
        std::fs::write(at("41/comm"), "postgres\n").unwrap();
        symlink("/dev/null", at("41/fd/0")).unwrap();
        symlink("socket:[700]", at("41/fd/3")).unwrap();
        symlink("socket:[632]", at("self/fd/3")).unwrap();
        for (name, rows) in [("tcp", TCP), ("tcp6", TCP6), ("udp", UDP)] {
            std::fs::write(at("net").join(name), format!("{HEAD}{rows}")).unwrap();
        }
        let shown: Vec<String> = listening(proc.path())
            .iter()
            .map(ToString::to_string)
            .collect();
        assert_eq!(
            shown,
            [
                "0.0.0.0:2024/tcp",
                "127.0.0.1:5432/tcp by postgres (process 41)",
                "[::1]:22/tcp",
                "127.0.0.53:53/udp",
            ]
        );
    }

    #[test]
    fn a_port_that_this_test_takes_is_found_with_this_process() {
        let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let local = taken.local_addr().unwrap();
        let found = listening(Path::new("/proc"))
            .into_iter()
            .find(|found| {
                (found.protocol, found.address, found.port)
                    == (Protocol::Tcp, local.ip(), local.port())
            })
            .unwrap();
        let process = found.process.unwrap();
        assert!(
            process.ends_with(&format!("(process {})", std::process::id())),
            "{process}"
        );
    }

    #[test]
    fn nonsense_and_missing_files_are_no_listeners() {
        assert!(parse_sockets("", TCP_LISTENS).is_empty());
        let broken = "head\n0: 0000:1 0:0 0A\n0: 000000000:1 0:0 0A a b c d e 1\n0: éé00000:1 0:0 0A a b c d e 1";
        assert!(parse_sockets(broken, TCP_LISTENS).is_empty());
        assert!(listening(Path::new("/nonexistent")).is_empty());
    }
}
