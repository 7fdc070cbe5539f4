//! `ports` and `expose`.

use std::net::IpAddr;

use super::reader::{Reader, shorten};
use crate::model::stack::{ContainerPort, Port, Protocol};
use crate::stack::interpolate::Problem;
use crate::yaml::{Node, Place, Value};

const HINT: &str = "write 5432, \"5432/udp\", \"8080:80\" or \"127.0.0.1:8080:80\"";

/// The most ports that one range may have, so that a typing error plans no thousands.
const LONGEST_RANGE: usize = 100;

/// `ports`, short and long.
pub fn ports(r: &Reader<'_>, node: &Node) -> Vec<Port> {
    let mut ports: Vec<Port> = Vec::new();
    for item in r.list(node, "ports") {
        let found = match &item.value {
            Value::Mapping(_) => long(r, item),
            _ => r
                .plain(item, "a port")
                .and_then(|text| reported(r, &item.place, short(text)))
                .unwrap_or_default(),
        };
        for port in found {
            let same = |other: &Port| {
                other.target == port.target
                    && other.published == port.published
                    && other.host_ip == port.host_ip
            };
            let twice = ports.iter().any(|other| {
                same(other)
                    || (other.target == port.target
                        && (other.published.is_none() || port.published.is_none()))
            });
            if twice {
                r.fail(
                    &item.place,
                    format!("port {} is published twice", port.target),
                );
            } else {
                fixed_port_fits(r, &item.place, &port);
                ports.push(port);
            }
        }
    }
    ports
}

fn fixed_port_fits(r: &Reader<'_>, place: &Place, port: &Port) {
    if let Some(published) = port.published
        && r.seats > 1
    {
        r.fail_hint(
            place,
            format!("{} seats can't all have the host port {published}", r.seats),
            format!(
                "write `{}` alone and Seatbox plans one host port for each seat",
                port.target.number
            ),
        );
    }
}

/// `expose`.
pub fn expose(r: &Reader<'_>, node: &Node) -> Vec<ContainerPort> {
    let mut ports = Vec::new();
    for item in r.list(node, "expose") {
        let Some(text) = r.plain(item, "a port") else {
            continue;
        };
        let parsed = protocol(text).and_then(|(rest, protocol)| {
            let numbers = range(rest)?;
            Ok(numbers
                .into_iter()
                .map(move |number| ContainerPort { number, protocol }))
        });
        ports.extend(reported(r, &item.place, parsed).into_iter().flatten());
    }
    ports
}

fn reported<T>(r: &Reader<'_>, place: &Place, result: Result<T, Problem>) -> Option<T> {
    result.map_err(|problem| r.report(place, problem)).ok()
}

/// `[[address:]published:]target[/protocol]`, with ranges of equal length.
fn short(text: &str) -> Result<Vec<Port>, Problem> {
    let (rest, protocol) = protocol(text)?;
    let (rest, target) = match rest.rsplit_once(':') {
        Some((rest, target)) => (Some(rest), target),
        None => (None, rest),
    };
    let (address, published) = match rest.map(|rest| rest.rsplit_once(':').ok_or(rest)) {
        None => (None, None),
        Some(Err(published)) => (None, Some(published)),
        Some(Ok((address, published))) => (Some(self::address(address)?), Some(published)),
    };
    let published = published.filter(|text| !text.is_empty());
    spread(target, published, address, protocol)
}

fn spread(
    target: &str,
    published: Option<&str>,
    host_ip: Option<IpAddr>,
    protocol: Protocol,
) -> Result<Vec<Port>, Problem> {
    let targets = range(target)?;
    let published = published.map(range).transpose()?;
    if let Some(published) = &published
        && published.len() != targets.len()
    {
        return Err(Problem::new(
            "the published ports and the container's are not equally many",
        ));
    }
    Ok(targets
        .into_iter()
        .enumerate()
        .map(|(index, number)| Port {
            target: ContainerPort { number, protocol },
            published: published.as_ref().and_then(|all| all.get(index).copied()),
            host_ip,
        })
        .collect())
}

fn protocol(text: &str) -> Result<(&str, Protocol), Problem> {
    match text.split_once('/') {
        None => Ok((text, Protocol::Tcp)),
        Some((rest, "tcp")) => Ok((rest, Protocol::Tcp)),
        Some((rest, "udp")) => Ok((rest, Protocol::Udp)),
        Some((_, other)) => Err(Problem::new(format!(
            "`{}` is no protocol of a port",
            shorten(other)
        ))
        .hint("there are tcp and udp")),
    }
}

fn address(text: &str) -> Result<IpAddr, Problem> {
    text.trim_start_matches('[')
        .trim_end_matches(']')
        .parse()
        .map_err(|_| Problem::new(format!("`{}` is not an IP address", shorten(text))).hint(HINT))
}

fn range(text: &str) -> Result<Vec<u16>, Problem> {
    let number = |text: &str| {
        text.parse::<u16>()
            .ok()
            .filter(|port| *port > 0)
            .ok_or_else(|| {
                Problem::new(format!("`{}` is not a port (1 to 65535)", shorten(text))).hint(HINT)
            })
    };
    let (first, last) = match text.split_once('-') {
        Some((first, last)) => (number(first)?, number(last)?),
        None => (number(text)?, number(text)?),
    };
    if last < first {
        return Err(Problem::new("a range of ports must go upwards"));
    }
    if usize::from(last - first) >= LONGEST_RANGE {
        return Err(Problem::new(format!(
            "a range has more than {LONGEST_RANGE} ports"
        )));
    }
    Ok((first..=last).collect())
}

fn long(r: &Reader<'_>, node: &Node) -> Vec<Port> {
    const KNOWN: [&str; 7] = [
        "target",
        "published",
        "host_ip",
        "protocol",
        "mode",
        "name",
        "app_protocol",
    ];
    let (mut target, mut published, mut host_ip, mut kind) = (None, None, None, Protocol::Tcp);
    for (key, place, value) in r.mapping(node, "a port").unwrap_or_default() {
        match key {
            "target" => target = r.number::<u16>(value, "`target`", "a port (1 to 65535)"),
            "published" => {
                published = r
                    .plain(value, "`published`")
                    .filter(|text| !text.is_empty())
            }
            "host_ip" => {
                let text = r.plain(value, "`host_ip`");
                host_ip = text.and_then(|text| reported(r, &value.place, address(text)));
            }
            "protocol" => {
                let text = r.plain(value, "`protocol`").unwrap_or("tcp");
                let parsed = protocol(&format!("/{text}")).map(|(_, protocol)| protocol);
                kind = reported(r, &value.place, parsed).unwrap_or(Protocol::Tcp);
            }
            // Both mean the same outside a swarm.
            "mode" => {
                if let Some(mode) = r.plain(value, "`mode`")
                    && !matches!(mode, "host" | "ingress")
                {
                    r.fail(&value.place, "`mode` can be host or ingress");
                }
            }
            // They describe the port and change nothing.
            "name" | "app_protocol" => drop(r.plain(value, key)),
            _ => r.unknown_key(place, "a port", key, &KNOWN),
        }
    }
    let Some(target) = target else {
        if node.get("target").is_none() {
            r.fail(&node.place, "this port has no `target`");
        }
        return Vec::new();
    };
    let ports = spread(&target.to_string(), published, host_ip, kind);
    reported(r, &node.place, ports).unwrap_or_default()
}
