//! What seats are, and what of it must be there when a side says that it is done.

use clap::ValueEnum;
use serde::{Deserialize, Serialize};

use crate::side::{FEW, Side};

/// What seats are.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, ValueEnum, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Place {
    /// Instances.
    Ec2,
    /// Tasks that are made from one definition.
    Ecs,
    /// Tasks with secrets: each has a definition of its own.
    EcsSecrets,
}

/// A service to work in.
const ALIKE: &str = "\
services:
  work:
    image: docker.io/library/golang:1.23-bookworm
    command: [sleep, infinity]
    environment: {SEAT: '${SEATBOX_SEAT}'}
    ports: ['8080']
";
/// The same with a secret.
const SECRET: &str = "\
services:
  work:
    image: docker.io/library/golang:1.23-bookworm
    command: [sleep, infinity]
    environment: {SEAT: '${SEATBOX_SEAT}', TOKEN: '${SEATBOX_SECRET_TOKEN}'}
    ports: ['8080']
";

impl Place {
    /// What it is called in a table.
    pub fn words(self) -> &'static str {
        match self {
            Self::Ec2 => "EC2",
            Self::Ecs => "ECS",
            Self::EcsSecrets => "ECS, secrets",
        }
    }

    /// The same in a file's name or a program's argument.
    pub fn slug(self) -> &'static str {
        match self {
            Self::Ec2 => "ec2",
            Self::Ecs => "ecs",
            Self::EcsSecrets => "ecs-secrets",
        }
    }

    /// Whether AWS's buckets make it take minutes for everybody: AWS registers one task definition a
    /// second.
    pub fn takes_minutes(self, seats: u32, buckets: bool) -> bool {
        self == Self::EcsSecrets && seats > FEW && buckets
    }

    /// Seatbox's provider.
    pub fn provider(self) -> &'static str {
        match self {
            Self::Ec2 => "ec2",
            Self::Ecs | Self::EcsSecrets => "ecs",
        }
    }

    /// What runs in a seat.
    pub fn stack(self) -> &'static str {
        match self {
            Self::Ec2 | Self::Ecs => ALIKE,
            Self::EcsSecrets => SECRET,
        }
    }

    /// How many things there must be more than in a new account, by what their lines in the emulator's
    /// listing begin with.
    pub fn makes(self, side: Side, seats: usize) -> Vec<(&'static str, usize)> {
        let mut made = vec![
            ("ec2 vpc ", 1),
            ("ec2 subnet ", 2),
            ("ec2 gateway ", 1),
            // One comes with the VPC.
            ("ec2 group ", 2),
        ];
        if self == Self::Ec2 {
            made.push(("ec2 instance ", seats));
            let keys = if side.makes_key_pairs() { seats } else { 0 };
            made.push(("ec2 key pair ", keys));
            return made;
        }
        let definitions = match side.shares_definition() && self == Self::Ecs {
            true => 1,
            false => seats,
        };
        made.extend([
            ("ecs cluster ", 1),
            ("ecs task ", seats + definitions),
            ("ecs task definition ", definitions),
            ("logs group ", 1),
            ("iam role ", 2),
        ]);
        if self == Self::EcsSecrets {
            let claim = usize::from(side == Side::Seatbox);
            made.push(("ssm parameter ", seats + claim));
        }
        made
    }
}
