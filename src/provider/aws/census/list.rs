//! The list.

use aws_sdk_resourcegroupstagging::types::{ResourceTagMapping, TagFilter};

use super::name::Name;
use crate::engine::Failure;
use crate::model::EnvironmentName;
use crate::provider::Listed;
use crate::provider::aws::Session;
use crate::provider::aws::limits::{Action, Service};
use crate::provider::aws::tags::{self, Tag};
use crate::provider::labels::ENVIRONMENT;

/// How many things a page has at most (Resource Groups Tagging API reference, "GetResources").
const PAGE: i32 = 100;
/// How many values one of its filters takes ("TagFilter").
const MOST_NAMES: usize = 20;

/// What is on the list of these environments, or of all.
///
/// # Errors
/// What AWS says.
pub async fn census(
    session: &Session,
    environments: &[EnvironmentName],
) -> Result<Vec<Listed>, Failure> {
    let names = environments.iter().map(ToString::to_string);
    // More than it takes are no fewer than all.
    let names = names.take_while(|_| environments.len() <= MOST_NAMES);
    let filter = TagFilter::builder()
        .key(ENVIRONMENT)
        .set_values(Some(names.collect()))
        .build();
    let request = |token| {
        let request = session.tagging.get_resources().tag_filters(filter.clone());
        let request = request.resources_per_page(PAGE);
        request.set_pagination_token(token).send()
    };
    let mapped = session.pages(
        Action::new(Service::Tagging, "GetResources"),
        request,
        |page| {
            let mapped = page.resource_tag_mapping_list.unwrap_or_default();
            (mapped, page.pagination_token)
        },
    );
    let listed = mapped.await?.into_iter().filter_map(listed);
    let is_meant = |listed: &Listed| {
        environments.is_empty() || environments.contains(&listed.ownership.environment)
    };
    Ok(listed.filter(is_meant).collect())
}

fn listed(mapping: ResourceTagMapping) -> Option<Listed> {
    let tags = mapping.tags.unwrap_or_default().into_iter();
    let tags: Vec<Tag> = tags.map(|tag| (tag.key, tag.value)).collect();
    let arn = mapping.resource_arn?;
    Some(Listed {
        kind: Name::of(&arn).kind(),
        ownership: tags::read(&tags, None)?,
        id: arn.into(),
    })
}
