//! User data: what makes an Ubuntu or Debian instance a seat when it boots for the first time. One
//! text serves all instances of a launch, and nothing secret is in it.

use std::collections::BTreeMap;
use std::io::Write as _;

use flate2::Compression;
use flate2::write::GzEncoder;
use jiff::Timestamp;
use minijinja::{AutoEscape, Environment as Templates, UndefinedBehavior, context};
use rust_embed::RustEmbed;
use serde::{Deserialize, Serialize};

use crate::model::{Environment, EnvironmentName, SeatNumber};

/// Who works on an instance, and may become root there.
pub const USER: &str = "seat";

/// The most bytes that user data may have, before it is written as base64 (the limit of EC2's
/// RunInstances).
pub const MAX_USER_DATA: usize = 16 * 1024;

/// How many seats one launch can serve: so many keys are sure to fit in [`MAX_USER_DATA`].
pub const MOST_SEATS_IN_USER_DATA: usize = 200;

/// The files of templates/ec2.
#[derive(RustEmbed)]
#[folder = "templates/ec2/"]
struct Files;

/// What an instance installs, and where from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GuestSettings {
    /// A mirror of the distribution's packages; the image's own where there is none.
    pub apt_mirror: Option<String>,
    /// Which Go is installed beside Docker, if any.
    pub go: Option<GoRelease>,
    /// Where Go's archives are, as a URL that a file's name is put behind.
    pub go_mirror: String,
    /// Where Go gets modules, in place of its own setting.
    pub goproxy: Option<String>,
    /// Registries that Docker asks before Docker Hub, as URLs.
    pub registry_mirrors: Vec<String>,
}

impl Default for GuestSettings {
    fn default() -> Self {
        Self {
            apt_mirror: None,
            go: Some(GoRelease::default()),
            go_mirror: "https://go.dev/dl/".to_owned(),
            goproxy: None,
            registry_mirrors: Vec::new(),
        }
    }
}

impl GuestSettings {
    /// What instances of an environment install.
    pub fn of(environment: &Environment) -> Self {
        let usual = Self::default();
        let mirrors = &environment.ec2.mirrors;
        // As an engine takes a registry that it is told no more of.
        let registries = environment.images.mirrors.iter();
        Self {
            apt_mirror: mirrors.apt.clone(),
            go_mirror: mirrors.go.clone().unwrap_or(usual.go_mirror),
            goproxy: mirrors.goproxy.clone(),
            registry_mirrors: registries.map(|host| format!("https://{host}")).collect(),
            go: usual.go,
        }
    }
}

/// A release of Go, with the SHA-256 of its archives: a mirror may be anybody's.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct GoRelease {
    /// As in the archive's name: `1.23.12`.
    pub version: String,
    /// Of `go<version>.linux-amd64.tar.gz`, in hexadecimal digits.
    pub sha256_amd64: String,
    /// Of `go<version>.linux-arm64.tar.gz`.
    pub sha256_arm64: String,
}

impl Default for GoRelease {
    /// The last release of Go 1.23, as <https://go.dev/dl/?mode=json&include=all> lists it.
    fn default() -> Self {
        Self {
            version: "1.23.12".to_owned(),
            sha256_amd64: "d3847fef834e9db11bf64e3fb34db9c04db14e068eeb064f49af747010454f90"
                .to_owned(),
            sha256_arm64: "52ce172f96e21da53b1ae9079808560d49b02ac86cecfa457217597f9bc28ab3"
                .to_owned(),
        }
    }
}

/// One launch.
#[derive(Debug, Clone, Copy)]
pub struct Launch<'a> {
    /// The environment.
    pub environment: &'a EnvironmentName,
    /// The seats with their public keys (`ssh-ed25519 AAAA…`), in the order of the launch.
    pub seats: &'a [(SeatNumber, String)],
    /// When they end, as their tag says at first.
    pub expires: Timestamp,
    /// What they install.
    pub settings: &'a GuestSettings,
}

/// Why there is no user data.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum UserDataError {
    /// More than EC2 takes.
    #[error(
        "user data of {bytes} bytes for {seats} seats is more than the {MAX_USER_DATA} that EC2 \
         takes; one launch serves {MOST_SEATS_IN_USER_DATA} seats"
    )]
    TooLarge {
        /// How many it would be.
        bytes: usize,
        /// For how many seats.
        seats: usize,
    },
}

/// The user data of one launch, compressed: cloud-init sees that by itself. The same launch gives
/// the same bytes, so that it can be asked for again with its client token.
///
/// # Errors
/// More than fits.
pub fn user_data(launch: &Launch<'_>) -> Result<Vec<u8>, UserDataError> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
    let bytes = encoder
        .write_all(cloud_config(launch).as_bytes())
        .and_then(|()| encoder.finish())
        .expect("nothing fails that writes to memory");
    if bytes.len() > MAX_USER_DATA {
        return Err(UserDataError::TooLarge {
            bytes: bytes.len(),
            seats: launch.seats.len(),
        });
    }
    Ok(bytes)
}

/// The user data as cloud-init reads it.
pub fn cloud_config(launch: &Launch<'_>) -> String {
    let settings = launch.settings;
    let docker = serde_json::json!({
        "registry-mirrors": settings.registry_mirrors,
        // What a service writes must not fill the disk.
        "log-driver": "json-file",
        "log-opts": {"max-size": "10m", "max-file": "3"},
    });
    let apt = settings.apt_mirror.as_ref().map(|primary| {
        context! { primary, security => security_mirror(primary) }
    });
    let seats = launch
        .seats
        .iter()
        .map(|(seat, key)| context! { number => seat.to_string(), key });
    let go = settings.go.as_ref();
    let word = |get: fn(&GoRelease) -> &String| go.map_or("", |go| get(go).as_str());
    let units: BTreeMap<_, _> = Files::iter()
        .filter(|name| name.ends_with(".service") || name.ends_with(".timer"))
        .map(|name| (name.to_string(), file(&name)))
        .collect();
    let text = templates().render_named_str(
        "user-data.yaml.j2",
        &file("user-data.yaml.j2"),
        context! {
            environment => launch.environment.as_str(),
            user => USER,
            expires => launch.expires.to_string(),
            seats => seats.collect::<Vec<_>>(),
            apt,
            docker => docker.to_string(),
            go => context! {
                version => word(|go| &go.version),
                sha256_amd64 => word(|go| &go.sha256_amd64),
                sha256_arm64 => word(|go| &go.sha256_arm64),
                mirror => format!("{}/", settings.go_mirror.trim_end_matches('/')),
                proxy => settings.goproxy.as_deref().unwrap_or_default(),
            },
            scripts => context! {
                imds => script("imds"),
                boot => script("boot"),
                deadline => script("deadline"),
                install => script("install"),
                receive => script("receive"),
                stack => script("stack"),
            },
            units => units,
        },
    );
    text.expect("the template is part of the program, and tested")
}

fn templates() -> Templates<'static> {
    let mut templates = Templates::new();
    templates.set_undefined_behavior(UndefinedBehavior::Strict);
    templates.set_auto_escape_callback(|_| AutoEscape::None);
    templates.add_filter("sh", |text: &str| shell_words::quote(text).into_owned());
    // Every JSON string is a YAML one.
    templates.add_filter("yaml", |text: &str| {
        serde_json::Value::from(text).to_string()
    });
    templates
}

fn file(name: &str) -> String {
    let file = Files::get(name).expect("it is part of the program");
    String::from_utf8_lossy(&file.data).into_owned()
}

fn script(name: &str) -> String {
    file(&format!("{name}.sh"))
}

/// Where a mirror has security updates: Ubuntu has them beside all others, Debian in an archive of
/// their own.
fn security_mirror(primary: &str) -> String {
    let primary = primary.trim_end_matches('/');
    if primary.ends_with("/debian") {
        return format!("{primary}-security");
    }
    primary.to_owned()
}

#[cfg(test)]
mod tests {
    use ssh_key::public::Ed25519PublicKey;

    use super::*;
    use crate::model::aws::Ec2Mirrors;
    use crate::provider::aws::ecs::fixture::environment;

    /// Keys made up: what matters is that nothing compresses them.
    fn seats(from: u32, count: usize) -> Vec<(SeatNumber, String)> {
        let key = || ssh_key::PublicKey::from(Ed25519PublicKey(rand::random()));
        (from..)
            .take(count)
            .filter_map(SeatNumber::new)
            .map(|seat| (seat, key().to_openssh().unwrap()))
            .collect()
    }

    fn launch<'a>(
        environment: &'a EnvironmentName,
        seats: &'a [(SeatNumber, String)],
        settings: &'a GuestSettings,
    ) -> Launch<'a> {
        Launch {
            environment,
            seats,
            expires: "2026-11-25T12:00:00Z".parse().unwrap(),
            settings,
        }
    }

    #[test]
    fn the_keys_of_as_many_seats_fit_as_one_launch_serves() {
        let longest = "a".repeat(crate::model::id::MAX_ENVIRONMENT_NAME);
        let environment = longest.parse().unwrap();
        let mirror = |number| format!("https://{number}.{}.example/ubuntu", "m".repeat(60));
        let settings = GuestSettings {
            apt_mirror: Some(mirror(1)),
            go_mirror: mirror(2),
            goproxy: Some(format!("{},direct", mirror(6))),
            registry_mirrors: vec![mirror(3), mirror(4), mirror(5)],
            ..GuestSettings::default()
        };
        let first = crate::model::id::MAX_SEATS - MOST_SEATS_IN_USER_DATA as u32;
        let seats = seats(first + 1, MOST_SEATS_IN_USER_DATA);
        let data = user_data(&launch(&environment, &seats, &settings)).unwrap();
        assert!(
            data.len() > MAX_USER_DATA * 3 / 4,
            "{} bytes: more fit",
            data.len()
        );
        assert_eq!(
            data,
            user_data(&launch(&environment, &seats, &settings)).unwrap()
        );
    }

    #[test]
    fn more_than_ec2_takes_is_refused() {
        let environment = "lab".parse().unwrap();
        let seats = seats(1, 3 * MOST_SEATS_IN_USER_DATA);
        let error = user_data(&launch(&environment, &seats, &GuestSettings::default()));
        assert!(matches!(
            error,
            Err(UserDataError::TooLarge { seats: 600, .. })
        ));
    }

    #[test]
    fn an_environments_mirrors_are_its_instances() {
        let mut environment = environment("services: {a: {image: a}}");
        assert_eq!(GuestSettings::of(&environment), GuestSettings::default());
        environment.images.mirrors = vec!["m.example:5000".to_owned()];
        environment.ec2.mirrors = Ec2Mirrors {
            apt: Some("https://m.example/ubuntu".to_owned()),
            go: Some("https://m.example/go".to_owned()),
            goproxy: Some("https://m.example,direct".to_owned()),
        };
        let expected = GuestSettings {
            apt_mirror: Some("https://m.example/ubuntu".to_owned()),
            go_mirror: "https://m.example/go".to_owned(),
            goproxy: Some("https://m.example,direct".to_owned()),
            registry_mirrors: vec!["https://m.example:5000".to_owned()],
            ..GuestSettings::default()
        };
        assert_eq!(GuestSettings::of(&environment), expected);
    }

    #[test]
    fn debians_security_updates_are_beside_its_archive() {
        let mirror = security_mirror("https://m.example/debian/");
        assert_eq!(mirror, "https://m.example/debian-security");
        let mirror = security_mirror("https://m.example/ubuntu/");
        assert_eq!(mirror, "https://m.example/ubuntu");
    }
}
