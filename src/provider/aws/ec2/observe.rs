//! What there is of instances.

use aws_sdk_ec2::types::Filter;
use aws_sdk_ec2::types::{Instance as Described, Volume};

use super::Instance;
use crate::engine::Failure;
use crate::provider::aws::Session;
use crate::provider::aws::limits::Action;
use crate::provider::aws::network::{filter, own_tags};
use crate::provider::aws::observe::{Detail, Reach, Thing};
use crate::provider::aws::scheme::AwsKind;

/// Everything of instances that carries our tags, those that AWS only remembers among them.
///
/// # Errors
/// A list that could not be read to its end.
pub async fn observe(
    session: &Session,
    tag: &(String, String),
    reach: Reach,
) -> Result<Vec<Thing>, Failure> {
    let mut things: Vec<Thing> = instances(session, tag)
        .await?
        .iter()
        .filter_map(|described| {
            let (instance, tags) = Instance::read(described);
            let (id, index) = (described.instance_id.clone(), instance.index);
            Thing::of(
                AwsKind::Instance,
                id,
                &tags,
                Some(index),
                Detail::Instance(instance),
            )
        })
        .collect();
    if reach == Reach::Everything {
        things.extend(volumes(session, tag).await?);
    }
    Ok(things)
}

/// All instances that carry a tag.
///
/// # Errors
/// A list that could not be read to its end.
pub(super) async fn instances(
    session: &Session,
    tag: &(String, String),
) -> Result<Vec<Described>, Failure> {
    let request = |token| {
        let request = session.ec2.describe_instances().filters(filter(tag));
        request.max_results(1000).set_next_token(token).send()
    };
    session
        .pages(Action::ec2("DescribeInstances"), request, |page| {
            let reservations = page.reservations.unwrap_or_default().into_iter();
            let instances = reservations.flat_map(|of| of.instances.unwrap_or_default());
            (instances.collect(), page.next_token)
        })
        .await
}

/// Volumes that are left on their own: those of an instance go with it.
async fn volumes(session: &Session, tag: &(String, String)) -> Result<Vec<Thing>, Failure> {
    let free = Filter::builder().name("status").values("available").build();
    let request = |token| {
        let request = session.ec2.describe_volumes().filters(filter(tag));
        request.filters(free.clone()).set_next_token(token).send()
    };
    let volumes = session.pages(Action::ec2("DescribeVolumes"), request, |page| {
        (page.volumes.unwrap_or_default(), page.next_token)
    });
    let thing = |volume: Volume| {
        let tags = own_tags(volume.tags);
        Thing::of(AwsKind::Volume, volume.volume_id, &tags, None, Detail::None)
    };
    Ok(volumes.await?.into_iter().filter_map(thing).collect())
}
