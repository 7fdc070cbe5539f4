//! An account of AWS for one run at a time: the emulator, and the proxy before it.

use std::collections::BTreeMap;
use std::time::Duration;

use serde_json::json;

use crate::Result;
use crate::aws::emulator::Emulator;
use crate::aws::proxy::Proxy;
use crate::aws::published::published;
use crate::aws::throttle::Throttle;
use crate::place::Place;
use crate::side::Side;

/// The emulator, and what there is in it when nobody has made anything.
pub struct Account {
    emulator: Emulator,
    before: Vec<String>,
}

impl Account {
    /// A new account.
    pub fn open() -> Self {
        let emulator = Emulator::start();
        // As it is after every run.
        renew(&emulator);
        Self {
            before: emulator.listing(),
            emulator,
        }
    }

    /// The way to it for one run: with that latency, and full buckets or none.
    pub fn proxy(&self, latency: Duration, buckets: bool) -> Proxy {
        let proxy = Proxy::before(&self.emulator);
        proxy.set(|settings| {
            settings.be_strict();
            settings.latency = latency;
            if buckets {
                settings.throttle = Throttle::by(published());
            }
        });
        proxy
    }

    /// Makes sure that all is there that a side says it made.
    pub fn verify(&self, place: Place, side: Side, seats: usize) -> Result {
        let after = self.emulator.listing();
        for (kind, more) in place.makes(side, seats) {
            let count = |lines: &[String]| lines.iter().filter(|l| l.starts_with(kind)).count();
            let (before, after) = (count(&self.before), count(&after));
            if after != before + more {
                let words = side.words();
                return Err(format!(
                    "{words} left {after} of `{}` and not {}",
                    kind.trim_end(),
                    before + more
                )
                .into());
            }
        }
        let runs = |line: &&String| line.starts_with("ec2 instance ") && line.contains(" running ");
        if place == Place::Ec2 && after.iter().filter(runs).count() != seats {
            return Err(format!("{} has instances that do not run", side.words()).into());
        }
        let leads_out =
            |line: &String| line.starts_with("ec2 route table ") && line.contains("igw-");
        if !after.iter().any(leads_out) {
            return Err(format!("{} has no way to the internet", side.words()).into());
        }
        Ok(())
    }

    /// Takes everything away, and makes sure of it.
    pub fn clear(&self) -> Result {
        renew(&self.emulator);
        let left = self.emulator.listing();
        if kinds(&left) == kinds(&self.before) {
            return Ok(());
        }
        Err(format!("something is left: {left:#?}").into())
    }
}

/// Has the emulator be an account in which nobody has made anything.
fn renew(emulator: &Emulator) {
    emulator.reset();
    // Every account of AWS has it on, and Ansible looks whether it is.
    let long = json!({"name": "taskLongArnFormat", "value": "enabled"});
    emulator.client().json("ecs", "PutAccountSetting", &long);
}

/// How many things there are of each kind: the account's own network has new ids after a reset.
fn kinds(lines: &[String]) -> BTreeMap<String, usize> {
    let mut kinds = BTreeMap::new();
    for line in lines {
        let words: Vec<&str> = line.split(' ').take(2).collect();
        *kinds.entry(words.join(" ")).or_default() += 1;
    }
    kinds
}
