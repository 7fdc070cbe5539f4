//! The network that an environment wants, and what of it is there.

use std::sync::Arc;

use ipnet::Ipv4Net;

use super::rules::{self, Rules};
use crate::model::environment::ProviderKind;
use crate::model::seat::Owner;
use crate::model::{Environment, EnvironmentName};
use crate::plan::{Bond, Cause, Desired, Fingerprint, Found, Key, Need, OnReset, Stage};
use crate::provider::aws::observe::{Detail, Observed, Thing};
use crate::provider::aws::scheme::{Aws, AwsKind, AwsStep, Marks, SubnetSpec};
use crate::provider::aws::{claim, names};

/// The version of what these resources are made of.
const VERSION: u32 = 1;

/// A network as it should be, and what of it is there.
pub struct Network {
    /// What should be there.
    pub desired: Vec<Desired<Aws>>,
    /// What is.
    pub found: Vec<Found<Aws>>,
    /// What a seat's resource needs of it.
    pub needs: Vec<Need<AwsKind>>,
    /// What must be there of it for something to be made in it: whoever takes a while to begin needs
    /// neither the ways in nor those out before.
    pub place: Vec<Need<AwsKind>>,
    /// What a person should know.
    pub notices: Vec<String>,
}

/// The network of `environment` in those `zones`. What exists is kept as it is, whatever the file
/// says by now: seats live in it.
pub fn desired(
    environment: &Environment,
    observed: &Observed,
    zones: &[Arc<str>],
    marks: impl Fn(Fingerprint) -> Marks,
) -> Network {
    let mut builder = Builder {
        environment,
        marks,
        name: names::shared(&environment.name).into(),
        network: Network {
            desired: Vec::new(),
            found: Vec::new(),
            needs: Vec::new(),
            place: Vec::new(),
            notices: Vec::new(),
        },
    };
    builder.vpc();
    builder.gateway();
    builder.subnets(zones);
    builder.group(observed);
    builder.see(observed);
    builder.claim(observed);
    builder.network
}

struct Builder<'a, M> {
    environment: &'a Environment,
    marks: M,
    name: Arc<str>,
    network: Network,
}

impl<M: Fn(Fingerprint) -> Marks> Builder<'_, M> {
    /// What is said of a resource that is made of `of`.
    fn marks(&self, kind: AwsKind, of: &str) -> Arc<Marks> {
        let print = Fingerprint::of(&(VERSION, kind.to_string(), of));
        Arc::new((self.marks)(print))
    }

    fn key(&self, kind: AwsKind) -> Key<AwsKind> {
        Key::new(kind, Arc::clone(&self.name))
    }

    fn need(&self, kind: AwsKind, stages: usize) -> Need<AwsKind> {
        Need {
            key: self.key(kind),
            stages,
            bond: Bond::Follows,
        }
    }

    fn want(&mut self, key: Key<AwsKind>, marks: &Marks, stages: Vec<Stage<Aws>>) {
        self.network.desired.push(Desired {
            key,
            owner: Owner::Shared,
            service: None,
            fingerprint: marks.fingerprint.clone(),
            stages,
            on_reset: OnReset::Kept,
        });
    }

    fn vpc(&mut self) {
        let range = self.environment.aws.network.to_string();
        let marks = self.marks(AwsKind::Vpc, &range);
        let mut stages = vec![Stage {
            step: AwsStep::CreateVpc(Arc::clone(&marks)),
            needs: vec![self.need(AwsKind::Claim, 1)],
        }];
        if self.environment.provider == ProviderKind::Ecs {
            stages.push(Stage::new(AwsStep::EnableNames));
        }
        self.network
            .needs
            .push(self.need(AwsKind::Vpc, stages.len()));
        self.want(self.key(AwsKind::Vpc), &marks, stages);
    }

    fn gateway(&mut self) {
        let marks = self.marks(AwsKind::Gateway, "");
        let stages = vec![
            Stage {
                step: AwsStep::CreateGateway(Arc::clone(&marks)),
                needs: vec![self.need(AwsKind::Claim, 1)],
            },
            Stage {
                step: AwsStep::Attach,
                needs: vec![self.need(AwsKind::Vpc, 1)],
            },
            Stage::new(AwsStep::Route),
        ];
        // Attached, which an address on the internet may ask for.
        self.network.place.push(self.need(AwsKind::Gateway, 2));
        self.network
            .needs
            .push(self.need(AwsKind::Gateway, stages.len()));
        self.want(self.key(AwsKind::Gateway), &marks, stages);
    }

    /// What is made in the VPC is made by who has the claim, also where the VPC is there already.
    fn part_of_vpc(&self) -> Vec<Need<AwsKind>> {
        vec![self.need(AwsKind::Claim, 1), self.need(AwsKind::Vpc, 1)]
    }

    fn subnets(&mut self, zones: &[Arc<str>]) {
        let parts = parts(self.environment.aws.network, zones.len());
        for (index, (zone, range)) in zones.iter().zip(parts).enumerate() {
            let name = names::subnet(&self.environment.name, index);
            let key = Key::new(AwsKind::Subnet, name);
            let marks = self.marks(AwsKind::Subnet, &range.to_string());
            let spec = SubnetSpec {
                marks: (*marks).clone(),
                range,
                zone: Arc::clone(zone),
            };
            let stages = vec![Stage {
                step: AwsStep::CreateSubnet(Arc::new(spec)),
                needs: self.part_of_vpc(),
            }];
            let need = Need {
                key: key.clone(),
                stages: 1,
                bond: Bond::Follows,
            };
            self.network.place.push(need.clone());
            self.network.needs.push(need);
            self.want(key, &marks, stages);
        }
    }

    fn group(&mut self, observed: &Observed) {
        let present =
            match group_of_vpc(observed, &self.environment.name).map(|thing| &thing.detail) {
                Some(Detail::Group(group)) => group.rules.clone(),
                _ => Rules::new(),
            };
        let marks = self.marks(AwsKind::SecurityGroup, "");
        let stages = vec![
            Stage {
                step: AwsStep::CreateGroup(Arc::clone(&marks)),
                needs: self.part_of_vpc(),
            },
            Stage::new(AwsStep::SetRules(Arc::new(present))),
        ];
        self.network
            .place
            .push(self.need(AwsKind::SecurityGroup, 1));
        self.network
            .needs
            .push(self.need(AwsKind::SecurityGroup, stages.len()));
        self.want(self.key(AwsKind::SecurityGroup), &marks, stages);
    }

    /// Finds what is there.
    fn see(&mut self, observed: &Observed) {
        let own = |kind| own(observed, &self.environment.name, kind);
        let vpcs = own(AwsKind::Vpc);
        let Some(vpc) = vpcs.first() else {
            // A gateway without a network, where somebody makes one or has made it.
            if let Some(gateway) = own(AwsKind::Gateway).first() {
                self.found(AwsKind::Gateway, Arc::clone(&self.name), &gateway.id, 1);
            }
            return;
        };
        if vpcs.len() > 1 {
            self.network.notices.push(format!(
                "{} VPCs are this environment's, of which {} is used; `seatbox down` takes all away",
                vpcs.len(),
                vpc.id
            ));
        }
        let Detail::Vpc(detail) = &vpc.detail else {
            return;
        };
        if detail
            .range
            .is_some_and(|range| range != self.environment.aws.network)
        {
            self.network.notices.push(format!(
                "{} keeps its addresses until `seatbox down`: aws.network is another range by now",
                vpc.id
            ));
        }
        let is_in = |thing: &&&Thing| match &thing.detail {
            Detail::Gateway(to) => to.as_ref().is_none_or(|to| *to == vpc.id),
            Detail::Subnet(subnet) => subnet.vpc == vpc.id,
            _ => true,
        };
        // Names cost a call to ask for, and are set again where nobody says that the network is complete.
        let complete = self.stages(AwsKind::Vpc);
        let present_group = group_of_vpc(observed, &self.environment.name);
        let is_made =
            said(observed, &self.environment.name).is_none_or(|(_, says)| claim::is_made(says));
        let vpc_done = match present_group {
            Some(_) if is_made => complete,
            _ => 1,
        };
        self.found(AwsKind::Vpc, Arc::clone(&self.name), &vpc.id, vpc_done);
        if let Some(gateway) = own(AwsKind::Gateway).iter().find(is_in) {
            let done = match gateway.detail {
                Detail::Gateway(Some(_)) if detail.has_route => 3,
                Detail::Gateway(Some(_)) => 2,
                _ => 1,
            };
            self.found(AwsKind::Gateway, Arc::clone(&self.name), &gateway.id, done);
        }
        if let Some(group) = present_group {
            let wanted = rules::wanted(self.environment);
            let is_set = matches!(&group.detail, Detail::Group(group) if group.rules == wanted);
            let done = if is_set { 2 } else { 1 };
            self.found(
                AwsKind::SecurityGroup,
                Arc::clone(&self.name),
                &group.id,
                done,
            );
        }
        for (index, range) in self.ranges().into_iter().enumerate() {
            let is_it = |thing: &&&Thing| match &thing.detail {
                Detail::Subnet(subnet) => subnet.range == Some(range),
                _ => false,
            };
            let subnets = own(AwsKind::Subnet);
            if let Some(subnet) = subnets.iter().filter(is_in).find(is_it) {
                let name = names::subnet(&self.environment.name, index);
                self.found(AwsKind::Subnet, name.into(), &subnet.id, 1);
            }
        }
    }

    /// The ranges of the subnets that are wanted.
    fn ranges(&self) -> Vec<Ipv4Net> {
        let stages = self
            .network
            .desired
            .iter()
            .flat_map(|wanted| &wanted.stages);
        let range = |stage: &Stage<Aws>| match &stage.step {
            AwsStep::CreateSubnet(spec) => Some(spec.range),
            _ => None,
        };
        stages.filter_map(range).collect()
    }

    fn stages(&self, kind: AwsKind) -> usize {
        let wanted = self
            .network
            .desired
            .iter()
            .find(|wanted| wanted.key.kind == kind);
        wanted.map_or(0, |wanted| wanted.stages.len())
    }

    /// It is taken for what is wanted, whatever it was made from: seats live in it.
    fn found(&mut self, kind: AwsKind, name: Arc<str>, id: &Arc<str>, done: usize) {
        let key = Key::new(kind, name);
        let wanted = self.network.desired.iter().find(|wanted| wanted.key == key);
        let lag = match kind {
            AwsKind::SecurityGroup if done == 1 => "lets in others than the environment says",
            _ => "not complete",
        };
        let found = Found {
            owner: Owner::Shared,
            id: Arc::clone(id),
            fingerprint: wanted.map(|wanted| wanted.fingerprint.clone()),
            done,
            lag: Some(Cause::Behind(lag.into())),
            unusable: None,
            repairs: Vec::new(),
            key,
        };
        self.network.found.push(found);
    }

    /// Where something of it is missing, one run at a time makes it.
    fn claim(&mut self, observed: &Observed) {
        let claim = said(observed, &self.environment.name);
        let made = claim
            .as_ref()
            .is_some_and(|(_, value)| claim::is_made(value));
        let created = |wanted: &Desired<Aws>| {
            self.network
                .found
                .iter()
                .any(|found| found.key == wanted.key)
        };
        let is_there = self.network.desired.iter().all(created);
        if is_there && (made || claim.is_none()) {
            return;
        }
        let marks = self.marks(AwsKind::Claim, "");
        let mut needs = self.network.needs.clone();
        // Of a run that was ended when all was there nothing is left but to say so.
        if !is_there {
            let seen = claim.as_ref().map(|(_, value)| (*value).into());
            let step = AwsStep::Claim(Arc::clone(&marks), seen);
            self.want(self.key(AwsKind::Claim), &marks, vec![Stage::new(step)]);
            needs.push(self.need(AwsKind::Claim, 1));
        }
        let finish = Stage {
            step: AwsStep::Finish,
            needs,
        };
        self.want(self.key(AwsKind::Network), &marks, vec![finish]);
        if let (Some((id, _)), false) = (claim, is_there) {
            self.found(AwsKind::Claim, Arc::clone(&self.name), id, 0);
        }
    }
}

/// What is there of that kind. Of two (two runs that made one at the same time) the first one is ours,
/// which has the lower id; the other one goes when all does.
fn own<'o>(
    observed: &'o Observed,
    environment: &'o EnvironmentName,
    kind: AwsKind,
) -> Vec<&'o Thing> {
    let things = observed.of(environment);
    let mut things: Vec<&Thing> = things.filter(|thing| thing.kind == kind).collect();
    things.sort_by(|a, b| a.id.cmp(&b.id));
    things
}

/// The claim, and what it says.
fn said<'o>(
    observed: &'o Observed,
    environment: &'o EnvironmentName,
) -> Option<(&'o Arc<str>, &'o str)> {
    observed
        .of(environment)
        .find_map(|thing| match &thing.detail {
            Detail::Claim(value) => Some((&thing.id, value.as_str())),
            _ => None,
        })
}

/// The group that our VPC has.
fn group_of_vpc<'o>(observed: &'o Observed, environment: &'o EnvironmentName) -> Option<&'o Thing> {
    let vpc = *own(observed, environment, AwsKind::Vpc).first()?;
    let is_in =
        |thing: &&Thing| matches!(&thing.detail, Detail::Group(group) if group.vpc == vpc.id);
    let groups = own(observed, environment, AwsKind::SecurityGroup);
    groups.into_iter().find(is_in)
}

/// The parts of a range, one for each of `count` zones.
fn parts(range: Ipv4Net, count: usize) -> impl Iterator<Item = Ipv4Net> {
    let bits = u8::try_from(count.next_power_of_two().ilog2()).unwrap_or(0);
    let parts = range.subnets(range.prefix_len() + bits);
    parts.into_iter().flatten()
}

#[cfg(test)]
mod tests {
    use jiff::Timestamp;

    use super::*;
    use crate::provider::aws::ecs::fixture;
    use crate::provider::aws::network::{Group, Vpc};
    use crate::provider::labels::Ownership;

    /// A VPC with its group, as far as a run came that said so in its claim.
    fn observed(environment: &Environment, claim: Option<&str>) -> Observed {
        let thing = |kind, id: &str, detail| Thing {
            kind,
            id: id.into(),
            ownership: Ownership {
                environment: environment.name.clone(),
                owner: Owner::Shared,
                service: None,
                expires: None,
                fingerprint: None,
                key: None,
            },
            detail,
        };
        let vpc = Vpc {
            range: Some(environment.aws.network),
            has_route: true,
        };
        let group = Group {
            vpc: "vpc-1".into(),
            rules: rules::wanted(environment),
        };
        let claim = claim.map(|says| Detail::Claim(says.to_owned()));
        let claim = claim.map(|says| thing(AwsKind::Claim, "claim", says));
        let things = [
            thing(AwsKind::Vpc, "vpc-1", Detail::Vpc(vpc)),
            thing(AwsKind::SecurityGroup, "sg-1", Detail::Group(group)),
        ];
        Observed {
            things: things.into_iter().chain(claim).collect(),
            ..Observed::default()
        }
    }

    #[test]
    fn addresses_get_names_unless_somebody_says_that_the_network_is_complete() {
        let environment = fixture::built_in();
        let has_names = |claim| {
            let observed = observed(&environment, claim);
            let zones: [Arc<str>; 2] = ["x-1a".into(), "x-1b".into()];
            let network = desired(&environment, &observed, &zones, |fingerprint| Marks {
                owner: Owner::Shared,
                fingerprint,
                key: None,
                expires: Timestamp::UNIX_EPOCH,
            });
            let vpc = network
                .found
                .into_iter()
                .find(|found| found.key.kind == AwsKind::Vpc);
            vpc.unwrap().done == 2
        };
        // The run that made the group may have ended before it set them.
        assert!(!has_names(Some("making by somebody")));
        assert!(has_names(Some("made")));
        assert!(has_names(None));
    }
}
