//! Launching instances: one call makes those of many seats.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::Arc;
use std::time::Duration;

use aws_sdk_ec2::types::{
    BlockDeviceMapping, EbsBlockDevice, HttpTokensState, IamInstanceProfileSpecification,
    Instance as Described, InstanceInterruptionBehavior, InstanceMarketOptionsRequest,
    InstanceMetadataOptionsRequest, InstanceMetadataTagsState,
    InstanceNetworkInterfaceSpecification, InstanceType, MarketType, ResourceType,
    ShutdownBehavior, SpotInstanceType, SpotMarketOptions, VolumeType,
};
use sha2::{Digest as _, Sha256};
use tokio::sync::OnceCell;
use tokio::time::sleep;

use super::image::{self, Image};
use super::launched::Launched;
use super::observe::instances;
use super::{Instance, InstanceState, Place, Stacks};
use crate::engine::{Failure, FailureClass};
use crate::model::aws::{MachineImage, Market};
use crate::model::{Environment, SeatNumber};
use crate::plan::Key;
use crate::provider::aws::ids::Ids;
use crate::provider::aws::limits::Action;
use crate::provider::aws::network::{known, specification};
use crate::provider::aws::preflight::{describe_types, vcpu_quota};
use crate::provider::aws::quotas::Quotas;
use crate::provider::aws::scheme::{AwsKind, LaunchSpec};
use crate::provider::aws::tags::{self, LAUNCH, SEATS};
use crate::provider::aws::{Session, names};
use crate::provider::labels::SEAT;

/// The longest value of a tag (Amazon EC2 user guide, "Tag restrictions"), in characters.
const LONGEST_TAG: usize = 256;
/// How often, and how far apart, is looked for what a call may have made whose answer was lost.
const LOOKS: (u32, Duration) = (3, Duration::from_secs(1));
/// How many dead instances AWS may remember of one token before it is strange.
const MOST_TOKENS: usize = 5;

/// What launches have in common.
#[derive(Debug, Default)]
pub struct Launcher {
    image: OnceCell<Image>,
    /// What was launched.
    pub launched: Launched,
}

/// Where, and for what.
pub struct Launch<'a> {
    /// Where.
    pub session: &'a Session,
    /// For what.
    pub environment: &'a Environment,
    /// What AWS calls what was found and made.
    pub ids: &'a Ids,
    /// What makes instances seats.
    pub stacks: &'a Stacks<'a>,
    /// What nobody asks for again.
    pub quotas: &'a Quotas,
    /// Where there was no room though there seemed to be: the last to be tried again.
    pub short: BTreeSet<Place>,
}

/// How many must be made for a call to make any.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Least {
    /// All.
    All,
    /// One; as many as there is room for are made.
    One,
}

impl Launcher {
    /// The image that instances are made from.
    ///
    /// # Errors
    /// There is none, or AWS does not say which.
    pub async fn image(&self, session: &Session, named: &MachineImage) -> Result<&Image, Failure> {
        let find = || image::find(session, named);
        self.image.get_or_try_init(find).await
    }

    /// Launches an instance for each of these seats, and gives what came of each: its id.
    ///
    /// # Errors
    /// What AWS says, where it is about all of them and may be tried again.
    pub async fn launch(
        &self,
        launch: &Launch<'_>,
        specs: &[&LaunchSpec],
    ) -> Result<Vec<Result<Arc<str>, Failure>>, Failure> {
        let image = self
            .image(launch.session, &launch.environment.ec2.image)
            .await?;
        let candidates = candidates(launch, specs[0].zone)?;
        let mut launched: BTreeMap<SeatNumber, Arc<str>> = BTreeMap::new();
        let mut last: Option<Failure> = None;
        // All of them together somewhere, or else as many as there is room for, wherever.
        let mut ways: Vec<(Least, &Place)> = Vec::new();
        for least in [Least::All, Least::One] {
            ways.extend(candidates.iter().map(|candidate| (least, candidate)));
        }
        for (least, candidate) in ways {
            let left = |spec: &&&LaunchSpec| !launched.contains_key(&spec.seat);
            let left: Vec<&LaunchSpec> = specs.iter().filter(left).copied().collect();
            let class = last.as_ref().map(|failure| failure.class);
            // A quota is the same for every zone; it may have room for some. All of one are one.
            let in_vain = least == Least::All && class == Some(FailureClass::Quota);
            if left.is_empty() {
                break;
            }
            if in_vain || (least == Least::One && specs.len() == 1 && last.is_some()) {
                continue;
            }
            if let Some(failure) = launch.quotas.used_up() {
                last = Some(failure);
                break;
            }
            let mut parts: VecDeque<&[&LaunchSpec]> = parts(&left).into();
            while let Some(part) = parts.pop_front() {
                match attempt(launch, image, candidate, part, least).await {
                    Ok(made) => {
                        self.launched
                            .note(made.iter().map(|(_, id)| Arc::clone(id)));
                        launched.extend(made);
                    }
                    // Of what is more than the quota allows AWS makes nothing, and not a part.
                    Err(failure)
                        if failure.class == FailureClass::Quota
                            && least == Least::One
                            && part.len() > 1 =>
                    {
                        let (one, other) = part.split_at(part.len().div_ceil(2));
                        parts.push_front(other);
                        parts.push_front(one);
                        last = Some(failure);
                    }
                    Err(failure) => {
                        // Before anything was made all of it may be tried again as it was.
                        if failure.class.is_retryable() && launched.is_empty() {
                            return Err(failure);
                        }
                        // One seat alone has no smaller part for which there might be room.
                        let is_last = least == Least::One || specs.len() == 1;
                        let failure = if failure.class == FailureClass::Quota && is_last {
                            let failure = explained(launch, &candidate.kind, failure).await;
                            launch.quotas.note(&failure);
                            failure
                        } else {
                            failure
                        };
                        last = Some(failure);
                        break;
                    }
                }
            }
            match last.as_ref().map(|failure| failure.class) {
                None | Some(FailureClass::Capacity | FailureClass::Quota) => {}
                Some(_) => break,
            }
        }
        let refused = last.unwrap_or_else(|| {
            let message =
                "AWS made fewer instances than were asked for, of every type in every zone";
            Failure::new(FailureClass::Capacity, "RunInstances", message)
        });
        let result = |spec: &&LaunchSpec| launched.get(&spec.seat).cloned().ok_or(refused.clone());
        Ok(specs.iter().map(result).collect())
    }
}

/// A quota's failure, with its name and how much all seats need of it: AWS names neither.
async fn explained(launch: &Launch<'_>, kind: &str, failure: Failure) -> Failure {
    let environment = launch.environment;
    let is_of_vcpus = failure.message.ends_with("(VcpuLimitExceeded)")
        || failure.message.ends_with("(MaxSpotInstanceCountExceeded)");
    let Some(quota) = vcpu_quota(kind, environment.ec2.market).filter(|_| is_of_vcpus) else {
        return failure;
    };
    let seats = environment.seats.total();
    let need = match describe_types(launch.session, &[kind.to_owned()]).await {
        Ok(types) => types.get(kind).map(|kind| u64::from(seats) * kind.vcpus),
        // It would only tell how much more.
        Err(_) => None,
    };
    let (who, needs) = match seats {
        1 => (format!("a seat of {kind}"), "needs"),
        _ => (format!("{seats} seats of {kind}"), "need"),
    };
    let need = need.map_or_else(String::new, |need| {
        format!(" {needs} {need} {}", quota.unit)
    });
    failure.with_hint(quota.ask_for_more(&format!("{who}{need}")))
}

/// Every type in every zone: the first type everywhere, beginning where the seats should be, then the
/// next one.
fn candidates(launch: &Launch<'_>, zone: usize) -> Result<Vec<Place>, Failure> {
    let environment = launch.environment;
    let zones = usize::from(environment.aws.zones);
    let subnets: Vec<Arc<str>> = (0..zones)
        .map(|index| {
            let name = names::subnet(&environment.name, (zone + index) % zones);
            launch.ids.get(&Key::new(AwsKind::Subnet, name))
        })
        .collect::<Result<_, _>>()?;
    Ok(places(&environment.ec2.types, &subnets, &launch.short))
}

/// Those where there was no room though there seemed to be come last.
fn places(types: &[String], subnets: &[Arc<str>], short: &BTreeSet<Place>) -> Vec<Place> {
    let place = |kind: &str, subnet: &Arc<str>| Place {
        kind: kind.into(),
        subnet: Arc::clone(subnet),
    };
    let of_type = |kind| subnets.iter().map(move |subnet| place(kind, subnet));
    let mut places: Vec<Place> = types.iter().flat_map(|kind| of_type(kind)).collect();
    places.sort_by_key(|place| short.contains(place));
    places
}

/// Parts whose seats can stand in a tag.
fn parts<'s>(specs: &'s [&'s LaunchSpec]) -> Vec<&'s [&'s LaunchSpec]> {
    let mut parts = Vec::new();
    let mut rest = specs;
    while !rest.is_empty() {
        let mut count = rest.len();
        while tags::seats_value(&seats(&rest[..count])).len() > LONGEST_TAG {
            count = count.div_ceil(2);
        }
        let (part, others) = rest.split_at(count);
        parts.push(part);
        rest = others;
    }
    parts
}

fn seats(specs: &[&LaunchSpec]) -> Vec<SeatNumber> {
    specs.iter().map(|spec| spec.seat).collect()
}

/// The token of a launch: the same whoever asks for these seats while things are as they are, so
/// that two runs at once have the same instances, and another one once those have ended.
fn token(
    launch: &Launch<'_>,
    candidate: &Place,
    specs: &[&LaunchSpec],
    least: Least,
    dead: &[Arc<str>],
) -> String {
    let mut hash = Sha256::new();
    let mut add = |text: &str| {
        hash.update(text.as_bytes());
        hash.update([0]);
    };
    add(launch.environment.name.as_str());
    add(&candidate.kind);
    add(if least == Least::All { "all" } else { "one" });
    add(&candidate.subnet);
    for spec in specs {
        add(&spec.seat.to_string());
        add(spec.marks.fingerprint.as_str());
        spec.before.iter().for_each(|id| add(id));
    }
    dead.iter().for_each(|id| add(id));
    // 64 ASCII characters at most (Amazon EC2 API reference, "RunInstances").
    crate::hex(&hash.finalize()[..24])
}

/// Launches these seats in one way. Fewer may be made than were asked for.
async fn attempt(
    launch: &Launch<'_>,
    image: &Image,
    candidate: &Place,
    specs: &[&LaunchSpec],
    least: Least,
) -> Result<Vec<(SeatNumber, Arc<str>)>, Failure> {
    let mut dead: Vec<Arc<str>> = Vec::new();
    for _ in 0..MOST_TOKENS {
        let token = token(launch, candidate, specs, least, &dead);
        let mut spent = false;
        let made = match request(launch, image, candidate, specs, least, &token).await {
            Ok(made) => made,
            // Nobody knows whether it worked. AWS would give the same instances for the same token,
            // and is asked for those first.
            Err(failure) if is_unknown(&failure) => {
                match observed(launch, &token, specs.len(), least).await? {
                    made if made.is_empty() => return Err(failure),
                    made => made,
                }
            }
            // AWS knows a token for a day, and what it made may have ended: then it makes nothing for
            // it. Or the launch was another one, which ended at another time say.
            Err(failure) if is_spent(&failure) => {
                let tag = (format!("tag:{LAUNCH}"), token.clone());
                let made = instances(launch.session, &tag).await?;
                dead.push(token.into());
                spent = true;
                made
            }
            Err(failure) => return Err(failure),
        };
        let mut alive = Vec::new();
        for described in &made {
            let (instance, _) = Instance::read(described);
            let Some(id) = described.instance_id.as_deref().map(Arc::from) else {
                continue;
            };
            match (instance.state, specs.get(instance.index)) {
                (InstanceState::ShuttingDown | InstanceState::Terminated, _) => dead.push(id),
                (_, Some(spec)) => alive.push((spec.seat, id)),
                (_, None) => {}
            }
        }
        if !alive.is_empty() || (made.is_empty() && !spent) {
            return Ok(alive);
        }
        dead.sort();
    }
    let message = "AWS gives instances that have ended, again and again";
    Err(Failure::new(
        FailureClass::Conflict,
        "RunInstances",
        message,
    ))
}

fn is_unknown(failure: &Failure) -> bool {
    matches!(
        failure.class,
        FailureClass::Timeout | FailureClass::Connection
    )
}

/// Whether AWS makes nothing for a token any more.
fn is_spent(failure: &Failure) -> bool {
    let codes = [
        "(IdempotentInstanceTerminated)",
        "(IdempotentParameterMismatch)",
    ];
    codes.iter().any(|code| failure.message.ends_with(code))
}

/// What a launch of so many, whose answer was lost, has made. Not all of it shows at once: where all
/// were to be made or none, a part of them is no answer yet.
async fn observed(
    launch: &Launch<'_>,
    token: &str,
    count: usize,
    least: Least,
) -> Result<Vec<Described>, Failure> {
    let tag = (format!("tag:{LAUNCH}"), token.to_owned());
    let mut made = Vec::new();
    for _ in 0..LOOKS.0 {
        sleep(LOOKS.1).await;
        made = instances(launch.session, &tag).await?;
        if made.len() >= count {
            return Ok(made);
        }
    }
    match least {
        Least::All => Ok(Vec::new()),
        Least::One => Ok(made),
    }
}

async fn request(
    launch: &Launch<'_>,
    image: &Image,
    candidate: &Place,
    specs: &[&LaunchSpec],
    least: Least,
    token: &str,
) -> Result<Vec<Described>, Failure> {
    let (environment, settings) = (launch.environment, &launch.environment.ec2);
    let group = Key::new(AwsKind::SecurityGroup, names::shared(&environment.name));
    let group = launch.ids.get(&group)?;
    let numbers = seats(specs);
    let user_data = launch.stacks.user_data(&numbers, specs[0].marks.expires)?;
    let ownership = specs[0].marks.ownership(&environment.name);
    let mut tags = tags::write(&ownership);
    // One call makes many seats: what tells them apart is their place in it.
    tags.retain(|(name, _)| name != SEAT && name != tags::NAME);
    tags.push((tags::NAME.to_owned(), names::shared(&environment.name)));
    tags.push((SEATS.to_owned(), tags::seats_value(&numbers)));
    tags.push((LAUNCH.to_owned(), token.to_owned()));
    let count = i32::try_from(specs.len()).unwrap_or(i32::MAX);
    let disk = EbsBlockDevice::builder()
        .volume_type(VolumeType::Gp3)
        .volume_size(i32::try_from(settings.disk_gib).unwrap_or(i32::MAX))
        .encrypted(true)
        .delete_on_termination(true)
        .build();
    let interface = InstanceNetworkInterfaceSpecification::builder()
        .device_index(0)
        .subnet_id(&*candidate.subnet)
        .groups(&*group)
        .associate_public_ip_address(true)
        .delete_on_termination(true)
        .build();
    // A container in the seat is one hop further away than the instance, and gets no answer.
    let metadata = InstanceMetadataOptionsRequest::builder()
        .http_tokens(HttpTokensState::Required)
        .http_put_response_hop_limit(1)
        .instance_metadata_tags(InstanceMetadataTagsState::Enabled)
        .build();
    let request_kind =
        (settings.market == Market::Spot).then_some(ResourceType::SpotInstancesRequest);
    let kinds = [
        ResourceType::Instance,
        ResourceType::Volume,
        ResourceType::NetworkInterface,
    ];
    let marks = kinds
        .into_iter()
        .chain(request_kind)
        .map(|kind| specification(kind, tags.clone()))
        .collect();
    let profile = settings.instance_profile.as_ref().map(|name| {
        IamInstanceProfileSpecification::builder()
            .name(name)
            .build()
    });
    let market = (settings.market == Market::Spot).then(|| {
        let spot = SpotMarketOptions::builder()
            .spot_instance_type(SpotInstanceType::OneTime)
            .instance_interruption_behavior(InstanceInterruptionBehavior::Terminate)
            .build();
        InstanceMarketOptionsRequest::builder()
            .market_type(MarketType::Spot)
            .spot_options(spot)
            .build()
    });
    let made = known(|| async {
        let request = launch
            .session
            .ec2
            .run_instances()
            .image_id(&image.id)
            .instance_type(InstanceType::from(&*candidate.kind))
            .min_count(if least == Least::All { count } else { 1 })
            .max_count(count)
            .client_token(token)
            .user_data(&user_data)
            .instance_initiated_shutdown_behavior(ShutdownBehavior::Terminate)
            .metadata_options(metadata.clone())
            .network_interfaces(interface.clone())
            .block_device_mappings(
                BlockDeviceMapping::builder()
                    .device_name(&image.root)
                    .ebs(disk.clone())
                    .build(),
            )
            .set_tag_specifications(Some(Vec::clone(&marks)))
            .set_iam_instance_profile(profile.clone())
            .set_instance_market_options(market.clone());
        let action = Action::ec2("RunInstances");
        let units = count.unsigned_abs();
        let send = || request.clone().send();
        launch.session.call_with(action, units, send).await
    });
    Ok(made.await?.instances.unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn where_there_was_no_room_is_tried_last_and_all_else_in_the_order_of_types() {
        let types = ["t3.small".to_owned(), "t3a.small".to_owned()];
        let subnets = ["a".into(), "b".into()];
        let names = |short: &BTreeSet<Place>| -> Vec<String> {
            let places = places(&types, &subnets, short).into_iter();
            places
                .map(|place| format!("{} {}", place.kind, place.subnet))
                .collect()
        };
        let (first, second) = ("t3.small a", "t3.small b");
        let none = BTreeSet::new();
        assert_eq!(names(&none), [first, second, "t3a.small a", "t3a.small b"]);
        let short = BTreeSet::from([Place {
            kind: "t3.small".into(),
            subnet: "a".into(),
        }]);
        assert_eq!(names(&short), [second, "t3a.small a", "t3a.small b", first]);
    }
}
