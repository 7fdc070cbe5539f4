//! Whether the types are offered where the seats are to be.

use std::sync::Arc;

use crate::engine::Failure;
use crate::provider::aws::Session;
use crate::provider::aws::network::offerings;
use crate::provider::preflight::{Check, Verdict};

/// Whether one of `types` is offered in each of these zones.
pub async fn check(session: &Session, types: &[String], zones: &[Arc<str>]) -> Check {
    match offerings(session, types).await {
        Ok(offered) => judge(types, zones, &offered),
        Err(failure) => unknown(&failure),
    }
}

fn unknown(failure: &Failure) -> Check {
    Check::new("zone", Verdict::Unknown, failure.to_string())
}

/// `offered` is a zone for each type that is offered there.
fn judge(types: &[String], zones: &[Arc<str>], offered: &[String]) -> Check {
    let is_offered = |zone: &&Arc<str>| offered.iter().any(|offered| **offered == ***zone);
    let (with, without): (Vec<&Arc<str>>, Vec<&Arc<str>>) = zones.iter().partition(is_offered);
    let names = |zones: &[&Arc<str>]| {
        let names: Vec<&str> = zones.iter().map(|zone| &***zone).collect();
        names.join(", ")
    };
    let types = types.join(", ");
    let (with, without) = (names(&with), names(&without));
    if with.is_empty() {
        let message =
            format!("{types} can't be had in {without}, where the environment's subnets are");
        return Check::new("zone", Verdict::Failed, message).with_hint(
            "name other types in ec2.types, or take the environment down and bring it up anew",
        );
    }
    if without.is_empty() {
        return Check::new("zone", Verdict::Passed, format!("{types} in {with}"));
    }
    // Seats that were to be there are launched elsewhere.
    let message = format!("{types} in {with}, and not in {without}");
    Check::new("zone", Verdict::Passed, message)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_zone_without_any_of_the_types_is_told_and_only_all_of_them_are_in_the_way() {
        let zones: [Arc<str>; 2] = ["x-1a".into(), "x-1b".into()];
        let types = ["t3.small".to_owned(), "t3a.small".to_owned()];
        let verdict = |offered: &[&str]| {
            let offered: Vec<String> = offered.iter().map(|zone| (*zone).to_owned()).collect();
            let check = judge(&types, &zones, &offered);
            (check.verdict, check.message)
        };
        let types = "t3.small, t3a.small";
        assert_eq!(
            verdict(&["x-1a", "x-1b", "x-1a"]),
            (Verdict::Passed, format!("{types} in x-1a, x-1b"))
        );
        assert_eq!(
            verdict(&["x-1b"]),
            (Verdict::Passed, format!("{types} in x-1b, and not in x-1a"))
        );
        assert_eq!(verdict(&["x-1c"]).0, Verdict::Failed);
    }
}
