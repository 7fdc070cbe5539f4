//! A side of the race: who it is, and the command that brings its seats up.

use std::path::Path;

use clap::ValueEnum;
use serde::{Deserialize, Serialize};

use crate::place::Place;

/// Who takes part.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, ValueEnum, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Side {
    /// Seatbox.
    Seatbox,
    /// boto3, one call after the other.
    OneByOne,
    /// boto3, eight seats at once.
    Threads,
    /// boto3, with as few launches as will do, and a key pair for each seat.
    Batch,
    /// boto3, with as few calls as will do: seats' keys come with the launch.
    BareBatch,
    /// Ansible's amazon.aws and community.aws.
    Ansible,
}

/// More seats than this take some sides minutes.
pub const FEW: u32 = 23;

impl Side {
    /// All of them.
    pub const ALL: [Self; 6] = [
        Self::Seatbox,
        Self::OneByOne,
        Self::Threads,
        Self::Batch,
        Self::BareBatch,
        Self::Ansible,
    ];

    /// What it is called in a table.
    pub fn words(self) -> &'static str {
        match self {
            Self::Seatbox => "seatbox",
            Self::OneByOne => "boto3, one by one",
            Self::Threads => "boto3, 8 threads",
            Self::Batch => "boto3, batch",
            Self::BareBatch => "boto3, bare batch",
            Self::Ansible => "Ansible",
        }
    }

    /// The same in a file's name or a program's argument.
    pub fn slug(self) -> &'static str {
        match self {
            Self::Seatbox => "seatbox",
            Self::OneByOne => "one-by-one",
            Self::Threads => "threads",
            Self::Batch => "batch",
            Self::BareBatch => "bare-batch",
            Self::Ansible => "ansible",
        }
    }

    /// Whether it is one of boto3's.
    pub fn is_boto3(self) -> bool {
        !matches!(self, Self::Seatbox | Self::Ansible)
    }

    /// Whether there is such a side for these seats, and it is done within a minute or two.
    pub fn races(self, place: Place, seats: u32, buckets: bool, all: bool) -> bool {
        match self {
            Self::Seatbox | Self::Batch => true,
            // Tasks have no keys.
            Self::BareBatch => place == Place::Ec2,
            Self::OneByOne => all || seats <= FEW,
            Self::Threads => all || seats <= FEW || !buckets,
            Self::Ansible => place != Place::EcsSecrets && (all || (seats <= FEW && buckets)),
        }
    }

    /// Whether each seat has a key pair of EC2's; Seatbox derives keys, and sends their public halves
    /// along with the launch.
    pub fn makes_key_pairs(self) -> bool {
        !matches!(self, Self::Seatbox | Self::BareBatch)
    }

    /// Whether its seats' tasks are made from one definition where they have no secrets.
    pub fn shares_definition(self) -> bool {
        matches!(self, Self::Seatbox | Self::Batch)
    }

    /// The words of its command: the program and its arguments.
    pub fn command(self, place: Place, seats: u32, seatbox: &Path, python: &Path) -> Vec<String> {
        let peers = Path::new(env!("CARGO_MANIFEST_DIR")).join("benches/race_aws/peers");
        let text = |path: &Path| path.display().to_string();
        let seats = seats.to_string();
        let provider = place.provider();
        match self {
            Self::Seatbox => vec![text(seatbox), "up".to_owned(), "seatbox.yaml".to_owned()],
            Self::Ansible => vec![
                text(&python.with_file_name("ansible-playbook")),
                text(&peers.join(format!("ansible-{provider}.yaml"))),
                "--extra-vars".to_owned(),
                format!("seats={seats}"),
            ],
            way => {
                let mut words = vec![
                    text(python),
                    text(&peers.join(format!("{provider}.py"))),
                    "--seats".to_owned(),
                    seats,
                    "--way".to_owned(),
                    way.slug().to_owned(),
                ];
                if place == Place::EcsSecrets {
                    words.push("--secrets".to_owned());
                }
                words
            }
        }
    }
}
