//! What is there of services that have one kind of ours.

use aws_sdk_ssm::types::ParameterStringFilter;

use super::name::Name;
use crate::engine::{Failure, FailureClass};
use crate::provider::aws::Session;
use crate::provider::aws::limits::Action;

/// How many values a filter of parameters takes (Systems Manager API reference,
/// "ParameterStringFilter").
const MOST_PARAMETERS: usize = 50;

/// The names of those parameters that are there.
///
/// # Errors
/// What AWS says.
pub(super) async fn parameters(
    session: &Session,
    names: &[Name<'_>],
) -> Result<Vec<String>, Failure> {
    const CALL: &str = "DescribeParameters";
    let mut there = Vec::new();
    // Whether a name begins with a slash does not show in its ARN.
    let both = names
        .iter()
        .flat_map(|name| [format!("/{}", name.id), name.id.to_owned()]);
    for names in both.collect::<Vec<String>>().chunks(MOST_PARAMETERS) {
        let own = ParameterStringFilter::builder()
            .key("Name")
            .option("Equals")
            .set_values(Some(names.to_vec()))
            .build()
            .map_err(|error| Failure::new(FailureClass::Invalid, CALL, error.to_string()))?;
        let request = |token| {
            let request = session.ssm.describe_parameters();
            let request = request.parameter_filters(own.clone());
            request.set_next_token(token).send()
        };
        let found = session.pages(Action::ssm(CALL), request, |page| {
            (page.parameters.unwrap_or_default(), page.next_token)
        });
        let found = found.await?.into_iter();
        there.extend(found.filter_map(|parameter| parameter.name));
    }
    Ok(there)
}

/// The names of those log groups that are there.
///
/// # Errors
/// What AWS says.
pub(super) async fn log_groups(
    session: &Session,
    names: &[Name<'_>],
) -> Result<Vec<String>, Failure> {
    let mut there = Vec::new();
    for name in names {
        let request = |token| {
            let request = session.logs.describe_log_groups();
            let request = request.log_group_name_prefix(name.id);
            request.set_next_token(token).send()
        };
        let found = session.pages(Action::logs("DescribeLogGroups"), request, |page| {
            (page.log_groups.unwrap_or_default(), page.next_token)
        });
        let found = found.await?.into_iter();
        there.extend(found.filter_map(|group| group.log_group_name));
    }
    Ok(there)
}
