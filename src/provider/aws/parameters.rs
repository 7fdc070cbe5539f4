//! Reading parameters of Parameter Store, several in one call.

use std::collections::{BTreeMap, BTreeSet};

use super::Session;
use super::limits::Action;
use super::scheme::MOST_PARAMETERS;
use crate::engine::Failure;

/// What those of the parameters say that exist, by their names. A version or a label that they were asked
/// for by, `:3`, is no part of those.
///
/// # Errors
/// What AWS says: one that may not be read is an error of all.
pub async fn values(
    session: &Session,
    names: &BTreeSet<String>,
) -> Result<BTreeMap<String, String>, Failure> {
    let names: Vec<&String> = names.iter().collect();
    let mut found = BTreeMap::new();
    for names in names.chunks(MOST_PARAMETERS) {
        let names = names.iter().copied().cloned().collect();
        let request = session.ssm.get_parameters().set_names(Some(names));
        let action = Action::ssm("GetParameters");
        let answer = session.call(action, || request.clone().send()).await?;
        let parameters = answer.parameters.unwrap_or_default().into_iter();
        found.extend(parameters.filter_map(|of| Some((of.name?, of.value?))));
    }
    Ok(found)
}
