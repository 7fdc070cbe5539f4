//! The IPv4 networks that this host already reaches: what a seat's subnet must not cover.
//!
//! Linux tells them in `/proc`; where there is none (macOS), nothing is known and nothing clashes:
//! the engine runs in a virtual machine there, with a network of its own.

use std::collections::BTreeSet;
use std::net::Ipv4Addr;
use std::path::Path;

use ipnet::Ipv4Net;

/// A route that is in use (`RTF_UP` in the kernel's `linux/route.h`).
const ROUTE_IS_UP: u32 = 0x1;

/// What the names of an engine's bridges begin with. The engine itself tells of its networks; one
/// that it is only just making has its bridge first, and would seem to be somebody else's.
const ENGINE_BRIDGE: &str = "br-";

/// The networks that this host has a route to, sorted, each once. A default route
/// is none of them: it covers everything and reserves nothing.
///
/// `proc` is `/proc`. What can't be read counts as empty.
pub fn networks(proc: &Path) -> Vec<Ipv4Net> {
    let read = |name| std::fs::read_to_string(proc.join("net").join(name)).unwrap_or_default();
    // Bridges are read last: one that appears in between is then known for what it is.
    let table = parse_forwarding_table(&read("fib_trie"));
    let (bridges, routes): (Vec<_>, Vec<_>) = parse_routes(&read("route"))
        .into_iter()
        .partition(|(interface, _)| interface.starts_with(ENGINE_BRIDGE));
    routes
        .into_iter()
        .map(|(_, net)| net)
        .chain(table)
        .filter(|net| !bridges.iter().any(|(_, bridge)| bridge.contains(net)))
        .collect::<BTreeSet<_>>()
        .into_iter()
        .collect()
}

/// Reads the text of `/proc/net/route`: the main routing table, each route with its interface.
pub fn parse_routes(text: &str) -> Vec<(String, Ipv4Net)> {
    text.lines()
        .skip(1)
        .filter_map(|line| {
            let fields: Vec<&str> = line.split_whitespace().collect();
            let flags = u32::from_str_radix(fields.get(3)?, 16).ok()?;
            let destination = address(fields.get(1)?)?;
            let mask = address(fields.get(7)?)?;
            let net = Ipv4Net::with_netmask(destination, mask).ok()?;
            (flags & ROUTE_IS_UP != 0 && net.prefix_len() > 0)
                .then(|| (fields[0].to_owned(), net.trunc()))
        })
        .collect()
}

/// Reads the text of `/proc/net/fib_trie`: the routes of all tables (a VPN often has one of its
/// own). This host's addresses are left out: those in use have a route, and one without belongs to
/// a bridge that an engine is only just making.
pub fn parse_forwarding_table(text: &str) -> Vec<Ipv4Net> {
    let mut networks = Vec::new();
    let mut leaf: Option<Ipv4Addr> = None;
    for line in text.lines() {
        let line = line.trim();
        if let Some(address) = line.strip_prefix("|-- ") {
            leaf = address.parse().ok();
        } else if let Some((address, entry)) = leaf.zip(line.strip_prefix('/')) {
            let mut words = entry.split_whitespace();
            let prefix = words.next().and_then(|bits| bits.parse().ok());
            let kind = words.nth(1);
            if let Some(bits @ 1..) = prefix
                && kind == Some("UNICAST")
                && let Ok(net) = Ipv4Net::new(address, bits)
            {
                networks.push(net.trunc());
            }
        }
    }
    networks
}

/// An address as the kernel prints one here: its four bytes in network order, read as a number of
/// this machine's own byte order.
fn address(hex: &str) -> Option<Ipv4Addr> {
    let number = u32::from_str_radix(hex, 16).ok()?;
    Some(Ipv4Addr::from(number.to_ne_bytes()))
}

#[cfg(test)]
mod tests {
    use super::*;

    const ROUTE: &str = "\
Iface\tDestination\tGateway \tFlags\tRefCnt\tUse\tMetric\tMask\t\tMTU\tWindow\tIRTT
eth0\t00000000\t010200C0\t0003\t0\t0\t0\t00000000\t0\t0\t0
docker0\t000011AC\t00000000\t0001\t0\t0\t0\t0000FFFF\t0\t0\t0
eth0\t000200C0\t00000000\t0001\t0\t0\t0\t00FFFFFF\t0\t0\t0
tun0\t0000000A\t00000000\t0000\t0\t0\t0\t000000FF\t0\t0\t0
";

    const FIB_TRIE: &str = "\
Id 51820:
  +-- 0.0.0.0/0 3 0 4
     |-- 10.99.0.0
        /16 universe UNICAST
Main:
  +-- 0.0.0.0/0 3 0 4
     |-- 0.0.0.0
        /0 universe UNICAST
        /8 link UNICAST
     +-- 192.0.2.0/24 2 0 2
        |-- 192.0.2.2
           /32 host LOCAL
        |-- 192.0.2.255
           /32 link BROADCAST
";

    fn nets(texts: &[&str]) -> Vec<Ipv4Net> {
        texts.iter().map(|text| text.parse().unwrap()).collect()
    }

    #[test]
    #[cfg(target_endian = "little")]
    fn routes_in_use_are_read_and_the_default_route_is_none() {
        assert_eq!(
            parse_routes(ROUTE),
            [
                ("docker0".to_owned(), "172.17.0.0/16".parse().unwrap()),
                ("eth0".to_owned(), "192.0.2.0/24".parse().unwrap()),
            ]
        );
    }

    #[test]
    fn addresses_and_the_routes_of_other_tables_are_read() {
        assert_eq!(
            parse_forwarding_table(FIB_TRIE),
            nets(&["10.99.0.0/16", "0.0.0.0/8"])
        );
    }

    #[test]
    fn nonsense_and_missing_files_are_no_networks() {
        for text in [
            "",
            "\n\n",
            "Iface\nx\ty",
            "head\na b c d e f g h i",
            "|-- x\n/99 a UNICAST",
        ] {
            assert!(parse_routes(text).is_empty());
            assert!(parse_forwarding_table(text).is_empty());
        }
        assert!(
            parse_forwarding_table("|-- 10.0.0.1\n/33 host UNICAST\n/ host UNICAST").is_empty()
        );
        assert!(networks(Path::new("/nonexistent")).is_empty());
    }

    #[test]
    #[cfg(target_endian = "little")]
    fn both_files_together_are_sorted_without_repetition() {
        let proc = tempfile::tempdir().unwrap();
        let net = proc.path().join("net");
        std::fs::create_dir(&net).unwrap();
        std::fs::write(net.join("route"), ROUTE).unwrap();
        std::fs::write(net.join("fib_trie"), FIB_TRIE.replace("10.99", "172.17")).unwrap();
        assert_eq!(
            networks(proc.path()),
            nets(&["0.0.0.0/8", "172.17.0.0/16", "192.0.2.0/24"])
        );
    }
}
