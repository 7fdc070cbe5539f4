//! Making a network, and taking it away.

use std::sync::Arc;
use std::time::Duration;

use aws_sdk_ec2::types::{
    AttributeBooleanValue, IpPermission, ResourceType, Tag as Ec2Tag, TagSpecification,
};
use tokio::time::sleep;

use super::consistency::{known, let_go};
use super::observe::{Group, Vpc, find};
use super::rules::{self, Rules};
use super::{Rule, Subnet};
use crate::engine::{Failure, FailureClass, Progress};
use crate::model::Environment;
use crate::plan::Key;
use crate::provider::aws::ids::Ids;
use crate::provider::aws::limits::Action;
use crate::provider::aws::observe::{Detail, Thing};
use crate::provider::aws::scheme::{AwsKind, AwsStep, Marks, SubnetSpec};
use crate::provider::aws::tags::{self, Tag};
use crate::provider::aws::{Session, claim, names};

/// How often, and how far apart, is looked for what a call may have made whose answer was lost.
const LOOKS: (u32, Duration) = (3, Duration::from_secs(1));

/// Makes networks.
pub struct Builder<'a> {
    /// Where.
    pub session: &'a Session,
    /// For what.
    pub environment: &'a Environment,
    /// What AWS calls what was found and made.
    pub ids: &'a Ids,
}

/// Tags in EC2's form.
pub(in crate::provider::aws) fn specification(
    kind: ResourceType,
    tags: Vec<Tag>,
) -> TagSpecification {
    let tag = |(key, value)| Ec2Tag::builder().key(key).value(value).build();
    TagSpecification::builder()
        .resource_type(kind)
        .set_tags(Some(tags.into_iter().map(tag).collect()))
        .build()
}

impl Builder<'_> {
    /// Makes one step's call. `again` says that an earlier attempt may have worked.
    pub async fn apply(
        &self,
        key: &Key<AwsKind>,
        step: &AwsStep,
        again: bool,
        progress: &Progress,
    ) -> Result<(), Failure> {
        let (session, name) = (self.session, &self.environment.name);
        match step {
            AwsStep::Claim(marks, seen) => {
                claim::take(session, name, marks, seen.as_deref(), progress).await
            }
            AwsStep::Finish => claim::finish(session, name).await,
            AwsStep::CreateVpc(marks) => self.create_vpc(key, marks, again).await,
            AwsStep::EnableNames => self.enable_names(key).await,
            AwsStep::CreateGateway(marks) => self.create_gateway(key, marks, again).await,
            AwsStep::Attach => self.attach(key).await,
            AwsStep::Route => self.route(key).await,
            AwsStep::CreateSubnet(spec) => self.create_subnet(key, spec, again).await,
            AwsStep::CreateGroup(marks) => self.create_group(key, marks, again).await,
            AwsStep::SetRules(present) => self.set_rules(key, present).await,
            _ => unreachable!("no step of a network"),
        }
    }

    pub(super) fn tags(&self, kind: ResourceType, marks: &Marks) -> TagSpecification {
        let tags = tags::write(&marks.ownership(&self.environment.name));
        specification(kind, tags)
    }

    pub(super) fn vpc(&self) -> Result<Arc<str>, Failure> {
        let name = names::shared(&self.environment.name);
        self.ids.get(&Key::new(AwsKind::Vpc, name))
    }

    /// What an earlier attempt made, whose answer was lost. The claim says that nobody else makes any.
    pub(super) async fn made(
        &self,
        kind: AwsKind,
        again: bool,
        is_it: impl Fn(&Thing) -> bool,
    ) -> Result<Option<Arc<str>>, Failure> {
        if !again {
            return Ok(None);
        }
        let tag = tags::of(Some(&self.environment.name));
        for _ in 0..LOOKS.0 {
            sleep(LOOKS.1).await;
            let things = find(self.session, kind, &tag).await?;
            if let Some(thing) = things.iter().find(|thing| is_it(thing)) {
                return Ok(Some(Arc::clone(&thing.id)));
            }
        }
        Ok(None)
    }

    async fn create_vpc(
        &self,
        key: &Key<AwsKind>,
        marks: &Marks,
        again: bool,
    ) -> Result<(), Failure> {
        let range = self.environment.aws.network;
        let is_it = |thing: &Thing| matches!(&thing.detail, Detail::Vpc(Vpc { range: Some(found), .. }) if *found == range);
        if let Some(id) = self.made(AwsKind::Vpc, again, is_it).await? {
            self.ids.note(key.clone(), id);
            return Ok(());
        }
        let request = self
            .session
            .ec2
            .create_vpc()
            .cidr_block(range.to_string())
            .tag_specifications(self.tags(ResourceType::Vpc, marks));
        let answer = self
            .session
            .call(Action::ec2("CreateVpc"), || request.clone().send())
            .await?;
        let id = answer.vpc.and_then(|vpc| vpc.vpc_id);
        self.ids.note(key.clone(), there("CreateVpc", id)?);
        Ok(())
    }

    async fn enable_names(&self, key: &Key<AwsKind>) -> Result<(), Failure> {
        let id = self.ids.get(key)?;
        known(|| async {
            let yes = AttributeBooleanValue::builder().value(true).build();
            let request = self.session.ec2.modify_vpc_attribute().vpc_id(&*id);
            let request = request.enable_dns_hostnames(yes);
            self.session
                .call(Action::ec2("ModifyVpcAttribute"), || request.clone().send())
                .await
        })
        .await?;
        Ok(())
    }

    async fn create_subnet(
        &self,
        key: &Key<AwsKind>,
        spec: &SubnetSpec,
        again: bool,
    ) -> Result<(), Failure> {
        let vpc = self.vpc()?;
        let is_it = |thing: &Thing| matches!(&thing.detail, Detail::Subnet(Subnet { vpc: of, range, .. }) if *of == vpc && *range == Some(spec.range));
        if let Some(id) = self.made(AwsKind::Subnet, again, is_it).await? {
            self.ids.note(key.clone(), id);
            return Ok(());
        }
        let answer = known(|| async {
            let request = self
                .session
                .ec2
                .create_subnet()
                .vpc_id(&*vpc)
                .cidr_block(spec.range.to_string())
                .availability_zone(&*spec.zone)
                .tag_specifications(self.tags(ResourceType::Subnet, &spec.marks));
            self.session
                .call(Action::ec2("CreateSubnet"), || request.clone().send())
                .await
        });
        let id = answer.await?.subnet.and_then(|subnet| subnet.subnet_id);
        self.ids.note(key.clone(), there("CreateSubnet", id)?);
        Ok(())
    }

    async fn create_group(
        &self,
        key: &Key<AwsKind>,
        marks: &Marks,
        again: bool,
    ) -> Result<(), Failure> {
        let vpc = self.vpc()?;
        let is_it = |thing: &Thing| matches!(&thing.detail, Detail::Group(Group { vpc: of, .. }) if *of == vpc);
        if let Some(id) = self.made(AwsKind::SecurityGroup, again, is_it).await? {
            self.ids.note(key.clone(), id);
            return Ok(());
        }
        let answer = known(|| async {
            let request = self
                .session
                .ec2
                .create_security_group()
                .vpc_id(&*vpc)
                .group_name(&*key.name)
                .description("Seats of a Seatbox environment: apart from each other")
                .tag_specifications(self.tags(ResourceType::SecurityGroup, marks));
            self.session
                .call(Action::ec2("CreateSecurityGroup"), || {
                    request.clone().send()
                })
                .await
        });
        self.ids.note(
            key.clone(),
            there("CreateSecurityGroup", answer.await?.group_id)?,
        );
        Ok(())
    }

    /// Has the group, which lets in those of `present`, let in whom the environment names, and nobody
    /// else.
    async fn set_rules(&self, key: &Key<AwsKind>, present: &Rules) -> Result<(), Failure> {
        let id = self.ids.get(key)?;
        let wanted = rules::wanted(self.environment);
        let missing: Vec<&Rule> = wanted.difference(present).collect();
        let surplus: Vec<&Rule> = present.difference(&wanted).collect();
        // An earlier attempt worked, or another run.
        one_by_one(&missing, FailureClass::Conflict, |rules| {
            self.authorize(&id, rules)
        })
        .await?;
        one_by_one(&surplus, FailureClass::NotFound, |rules| {
            self.revoke(&id, rules)
        })
        .await
    }

    async fn authorize(&self, group: &str, rules: Vec<IpPermission>) -> Result<(), Failure> {
        known(|| async {
            let request = self.session.ec2.authorize_security_group_ingress();
            let request = request.group_id(group);
            let request = request.set_ip_permissions(Some(rules.clone()));
            self.session
                .call(Action::ec2("AuthorizeSecurityGroupIngress"), || {
                    request.clone().send()
                })
                .await
        })
        .await?;
        Ok(())
    }

    async fn revoke(&self, group: &str, rules: Vec<IpPermission>) -> Result<(), Failure> {
        let request = self.session.ec2.revoke_security_group_ingress();
        let request = request.group_id(group).set_ip_permissions(Some(rules));
        self.session
            .call(Action::ec2("RevokeSecurityGroupIngress"), || {
                request.clone().send()
            })
            .await?;
        Ok(())
    }
}

/// Makes a call for all rules; or, where it fails for one of which that is no failure, and with it
/// for all, for each.
async fn one_by_one<F>(
    rules: &[&Rule],
    harmless: FailureClass,
    call: impl Fn(Vec<IpPermission>) -> F,
) -> Result<(), Failure>
where
    F: Future<Output = Result<(), Failure>>,
{
    let all: Vec<IpPermission> = rules.iter().copied().map(rules::permission).collect();
    if all.is_empty() {
        return Ok(());
    }
    match call(all.clone()).await {
        Err(failure) if failure.class == harmless => {}
        result => return result,
    }
    for rule in all {
        match call(vec![rule]).await {
            Err(failure) if failure.class == harmless => {}
            result => result?,
        }
    }
    Ok(())
}

pub(super) fn there(call: &str, id: Option<String>) -> Result<String, Failure> {
    id.ok_or_else(|| Failure::new(FailureClass::Connection, call, "the answer names no id"))
}

/// Takes a part of a network away. What is gone already is success, and what something still uses
/// is tried for a while: AWS lets go of what an instance had some time after its end.
///
/// # Errors
/// What AWS says: what is in the way.
pub async fn delete(
    session: &Session,
    kind: AwsKind,
    id: &str,
    progress: &Progress,
) -> Result<(), Failure> {
    let call = || async {
        match kind {
            AwsKind::Gateway => delete_gateway(session, id).await,
            AwsKind::Vpc => {
                let request = session.ec2.delete_vpc().vpc_id(id);
                session
                    .call(Action::ec2("DeleteVpc"), || request.clone().send())
                    .await
                    .map(|_| ())
            }
            AwsKind::Subnet => {
                let request = session.ec2.delete_subnet().subnet_id(id);
                session
                    .call(Action::ec2("DeleteSubnet"), || request.clone().send())
                    .await
                    .map(|_| ())
            }
            AwsKind::SecurityGroup => {
                let request = session.ec2.delete_security_group().group_id(id);
                session
                    .call(Action::ec2("DeleteSecurityGroup"), || {
                        request.clone().send()
                    })
                    .await
                    .map(|_| ())
            }
            AwsKind::Interface => {
                let request = session
                    .ec2
                    .delete_network_interface()
                    .network_interface_id(id);
                session
                    .call(Action::ec2("DeleteNetworkInterface"), || {
                        request.clone().send()
                    })
                    .await
                    .map(|_| ())
            }
            AwsKind::Volume => {
                let request = session.ec2.delete_volume().volume_id(id);
                session
                    .call(Action::ec2("DeleteVolume"), || request.clone().send())
                    .await
                    .map(|_| ())
            }
            _ => claim::delete(session, id).await,
        }
    };
    let result = let_go(call, progress).await;
    match result {
        Err(failure) if failure.class == FailureClass::NotFound => Ok(()),
        result => result,
    }
}

async fn delete_gateway(session: &Session, id: &str) -> Result<(), Failure> {
    let request = session.ec2.describe_internet_gateways();
    let request = request.internet_gateway_ids(id);
    let answer = session
        .call(Action::ec2("DescribeInternetGateways"), || {
            request.clone().send()
        })
        .await?;
    let gateways = answer.internet_gateways.unwrap_or_default();
    let attachments = gateways.iter().flat_map(|gateway| gateway.attachments());
    for vpc in attachments.filter_map(|to| to.vpc_id()) {
        let request = session.ec2.detach_internet_gateway();
        let request = request.internet_gateway_id(id).vpc_id(vpc);
        match session
            .call(Action::ec2("DetachInternetGateway"), || {
                request.clone().send()
            })
            .await
        {
            Err(failure) if failure.class != FailureClass::NotFound => return Err(failure),
            _ => {}
        }
    }
    let request = session.ec2.delete_internet_gateway();
    let request = request.internet_gateway_id(id);
    session
        .call(Action::ec2("DeleteInternetGateway"), || {
            request.clone().send()
        })
        .await
        .map(|_| ())
}

#[cfg(test)]
mod tests {
    use std::sync::Mutex;

    use super::rules::Source;
    use super::*;

    #[tokio::test]
    async fn one_rule_in_the_way_of_all_keeps_no_other_from_being_set() {
        let rule = |port: i32| Rule {
            protocol: "tcp".to_owned(),
            ports: Some((port, port)),
            from: Source::Range("192.0.2.0/24".to_owned()),
        };
        let (first, second, third) = (rule(1), rule(2), rule(3));
        let calls: Mutex<Vec<Vec<i32>>> = Mutex::default();
        let set = |rules: Vec<IpPermission>| {
            let ports: Vec<i32> = rules.iter().filter_map(IpPermission::from_port).collect();
            let is_in_the_way = ports.contains(&2);
            calls.lock().unwrap().push(ports);
            async move {
                match is_in_the_way {
                    true => Err(Failure::new(FailureClass::Conflict, "set", "duplicate")),
                    false => Ok(()),
                }
            }
        };
        let rules = [&first, &second, &third];
        one_by_one(&rules, FailureClass::Conflict, set)
            .await
            .unwrap();
        let calls = calls.into_inner().unwrap();
        assert_eq!(calls, [vec![1, 2, 3], vec![1], vec![2], vec![3]]);
    }
}
