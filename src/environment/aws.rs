//! What an environment says of AWS, checked.

use ipnet::Ipv4Net;

use super::checker::Checker;
use super::raw::{RawAws, RawEc2, RawEc2Mirrors, RawEcs};
use super::{network, units};
use crate::model::aws::{AwsSettings, Ec2Mirrors, Ec2Settings, EcsSettings, MachineImage};
use crate::model::environment::{ProviderKind, Seats};

/// Addresses of a subnet that AWS keeps for itself (Amazon VPC user guide, "Subnet CIDR blocks").
const KEPT_ADDRESSES: u64 = 5;

/// The names that stand for public parameters, as their publishers document them.
const IMAGES: [(&str, &str); 3] = [
    (
        "ubuntu-22.04",
        "/aws/service/canonical/ubuntu/server/22.04/stable/current/amd64/hvm/ebs-gp2/ami-id",
    ),
    (
        "ubuntu-24.04",
        "/aws/service/canonical/ubuntu/server/24.04/stable/current/amd64/hvm/ebs-gp3/ami-id",
    ),
    ("debian-13", "/aws/service/debian/release/13/latest/amd64"),
];

/// The sizes that a disk may have, in GiB: images need 8, and gp3 volumes end at 16 TiB (Amazon EBS
/// user guide, "General Purpose SSD volumes").
const DISK_GIB: std::ops::RangeInclusive<u64> = 8..=16_384;

pub(super) fn aws(
    c: &mut Checker<'_>,
    raw: RawAws,
    provider: ProviderKind,
    seats: Seats,
) -> Option<AwsSettings> {
    if raw
        .region
        .as_deref()
        .is_some_and(|region| !is_region(region))
    {
        let hint = "write for example ap-southeast-1 or cn-north-1";
        c.problem(
            "aws.region",
            "environment::region",
            "this is not a region",
            hint,
        );
    }
    let venue = raw.venue.unwrap_or_default();
    let venue: Vec<Ipv4Net> = venue
        .iter()
        .enumerate()
        .filter_map(|(index, text)| range(c, &format!("aws.venue.{index}"), text))
        .collect();
    if venue.is_empty() && provider != ProviderKind::Docker && !c.has("aws.venue.0") {
        let message = "nobody could reach the seats: it is not said from where";
        let hint = "write for example `aws: {venue: [203.0.113.0/24]}`, with your own address too";
        c.problem("aws.venue", "environment::venue", message, hint);
    }
    let network = raw
        .network
        .and_then(|text| network::range(c, "aws.network", &text));
    let zones = raw.zones?;
    if !(2..=6).contains(&zones) {
        let hint = "2 to 6: one alone may be out of machines";
        c.problem(
            "aws.zones",
            "environment::zones",
            "so many zones are not possible",
            hint,
        );
        return None;
    }
    let network = network?;
    check_addresses(c, network, zones, seats)?;
    Some(AwsSettings {
        region: raw.region,
        venue,
        network,
        zones,
    })
}

/// A VPC has a prefix of 16 to 28 (Amazon VPC user guide), and its subnets hold all seats.
fn check_addresses(c: &mut Checker<'_>, network: Ipv4Net, zones: u8, seats: Seats) -> Option<()> {
    let (field, code) = ("aws.network", "environment::subnets");
    let prefix = u32::from(network.prefix_len());
    if !(16..=24).contains(&prefix) {
        c.problem(
            field,
            code,
            "a VPC of that size is not possible here",
            "from /16 to /24",
        );
        return None;
    }
    // Any one zone must do for all seats, should the others be out of machines.
    let subnet = 32 - prefix - u32::from(zones).next_power_of_two().ilog2();
    let room = (1_u64 << subnet) - KEPT_ADDRESSES;
    if u64::from(seats.total()) > room {
        let message = format!("{network} in {zones} zones has room for {room} seats in each");
        c.problem(field, code, message, "take a larger range");
        return None;
    }
    Some(())
}

fn range(c: &mut Checker<'_>, field: &str, text: &str) -> Option<Ipv4Net> {
    let code = "environment::venue";
    let hint = "write for example 203.0.113.0/24, or 198.51.100.7/32 for one address";
    let parsed = text.parse::<Ipv4Net>().ok();
    match parsed {
        Some(range) if range == range.trunc() => Some(range),
        Some(range) => {
            let hint = format!("write {}", range.trunc());
            c.problem(
                field,
                code,
                "this is an address in a range, not a range",
                &hint,
            );
            None
        }
        None => {
            c.problem(field, code, "this is not an IPv4 range", hint);
            None
        }
    }
}

fn is_region(text: &str) -> bool {
    let mut parts = text.split('-');
    let letters = |part: &str| !part.is_empty() && part.bytes().all(|b| b.is_ascii_lowercase());
    let last = parts.next_back().unwrap_or_default();
    let rest: Vec<&str> = parts.collect();
    rest.len() >= 2
        && rest.iter().all(|part| letters(part))
        && !last.is_empty()
        && last.bytes().all(|b| b.is_ascii_digit())
}

pub(super) fn ec2(c: &mut Checker<'_>, raw: RawEc2) -> Option<Ec2Settings> {
    let image = raw.image.and_then(|text| image(c, &text));
    let types = raw.types?;
    if types.is_empty() {
        let hint = "write for example `types: [t3.small]`";
        c.problem(
            "ec2.types",
            "environment::types",
            "there is no instance type",
            hint,
        );
    }
    for (index, name) in types.iter().enumerate() {
        if !is_type(name) {
            let hint = "write for example t3.small or m7i.large";
            let field = format!("ec2.types.{index}");
            c.problem(
                &field,
                "environment::types",
                "this is not an instance type",
                hint,
            );
        }
    }
    let disk = raw.disk.and_then(|text| disk(c, &text));
    let mirrors = mirrors(c, raw.mirrors.unwrap_or_default());
    Some(Ec2Settings {
        image: image?,
        types,
        market: raw.market.unwrap_or_default(),
        disk_gib: disk?,
        instance_profile: raw.instance_profile,
        ssh_config: raw.ssh_config.map(|text| c.path(&text)),
        mirrors,
    })
}

/// What is written here ends in a shell's and in apt's settings: nothing that either could take for
/// something else.
fn mirrors(c: &mut Checker<'_>, raw: RawEc2Mirrors) -> Ec2Mirrors {
    let mut check = |field: &str, text: &Option<String>, is_good: fn(&str) -> bool, hint: &str| {
        if text.as_deref().is_some_and(|text| !is_good(text)) {
            let message = "this is not the address of a mirror";
            let field = format!("ec2.mirrors.{field}");
            c.problem(&field, "environment::mirror", message, hint);
        }
    };
    let url = "write a URL without a password, such as https://mirror.example/ubuntu";
    check("apt", &raw.apt, is_url, url);
    check("go", &raw.go, is_url, url);
    let list = "write URLs, `direct` or `off` with commas between them, such as \
                https://goproxy.example,direct";
    check("goproxy", &raw.goproxy, is_goproxy, list);
    Ec2Mirrors {
        apt: raw.apt,
        go: raw.go,
        goproxy: raw.goproxy,
    }
}

/// A URL of HTTP without credentials: everybody in an instance reads what it installs from.
fn is_url(text: &str) -> bool {
    let rest = text
        .strip_prefix("https://")
        .or_else(|| text.strip_prefix("http://"));
    rest.is_some_and(|rest| {
        rest.starts_with(|c: char| c.is_ascii_alphanumeric())
            && rest
                .bytes()
                .all(|byte| byte.is_ascii_alphanumeric() || b".-_~/:%+".contains(&byte))
    })
}

/// What GOPROXY takes (Go modules reference, "Environment variables").
fn is_goproxy(text: &str) -> bool {
    text.split([',', '|'])
        .all(|part| matches!(part, "direct" | "off") || is_url(part))
}

fn image(c: &mut Checker<'_>, text: &str) -> Option<MachineImage> {
    let known = IMAGES.iter().find(|(name, _)| *name == text);
    if let Some((_, parameter)) = known {
        return Some(MachineImage::Parameter((*parameter).to_owned()));
    }
    if text.starts_with("ami-") {
        return Some(MachineImage::Id(text.to_owned()));
    }
    if text.starts_with('/') {
        return Some(MachineImage::Parameter(text.to_owned()));
    }
    let names: Vec<&str> = IMAGES.iter().map(|(name, _)| *name).collect();
    let hint = format!(
        "write {}, the id of an image (ami-…) or a parameter (/aws/service/…)",
        names.join(", ")
    );
    c.problem(
        "ec2.image",
        "environment::image",
        "there is no image of that name",
        &hint,
    );
    None
}

fn is_type(text: &str) -> bool {
    let word = |part: &str| {
        !part.is_empty()
            && part
                .bytes()
                .all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-')
    };
    text.split_once('.')
        .is_some_and(|(family, size)| word(family) && word(size))
}

fn disk(c: &mut Checker<'_>, text: &str) -> Option<u32> {
    const GIB: u64 = 1 << 30;
    let size = units::bytes(text).map(|bytes| bytes.div_ceil(GIB));
    let size = size.filter(|size| DISK_GIB.contains(size));
    if size.is_none() {
        let hint = "write for example 16GiB: 8GiB to 16TiB";
        c.problem(
            "ec2.disk",
            "environment::disk",
            "this is not the size of a disk",
            hint,
        );
    }
    u32::try_from(size?).ok()
}

/// The CPU units that a task on Fargate may have (Amazon ECS developer guide, "Task size").
const CPU_UNITS: [u32; 7] = [256, 512, 1024, 2048, 4096, 8192, 16_384];

pub(super) fn ecs(c: &mut Checker<'_>, raw: RawEcs) -> EcsSettings {
    let units = raw.cpus.and_then(|text| {
        let nano = units::nano_cpus(&text)?;
        let units = u32::try_from(nano * 1024 / 1_000_000_000).ok();
        let units = units.filter(|units| CPU_UNITS.contains(units));
        if units.is_none() {
            let hint = "write 0.25, 0.5, 1, 2, 4, 8 or 16";
            c.problem(
                "ecs.cpus",
                "environment::cpus",
                "a task can't have so many CPUs",
                hint,
            );
        }
        units
    });
    EcsSettings {
        capacity: raw.capacity.unwrap_or_default(),
        cpu_units: units,
    }
}
