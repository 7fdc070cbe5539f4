//! Where ECS is asked from inside a task.

use aws_sdk_ecs::config::endpoint::{DefaultResolver, Params, ResolveEndpoint};
use futures_util::FutureExt as _;

use crate::engine::{Failure, FailureClass};

/// The address of ECS in a region, by the SDK's own rules, which know every partition. Another one that
/// is set on this machine is for this machine alone: a task is elsewhere, and of two organizers who set
/// different ones neither is to make the other's tasks anew.
///
/// # Errors
/// Where the SDK knows none: the region's name is none.
pub fn endpoint(region: &str) -> Result<String, Failure> {
    let unknown = |why: String| Failure::new(FailureClass::Invalid, "plan", why);
    let params = Params::builder()
        .region(region)
        .build()
        .map_err(|error| unknown(format!("{region}: {error}")))?;
    let resolver = DefaultResolver::new();
    // It works out and asks nobody, so it is ready at once.
    let found = ResolveEndpoint::resolve_endpoint(&resolver, &params).now_or_never();
    match found {
        Some(Ok(endpoint)) => Ok(endpoint.url().to_owned()),
        Some(Err(error)) => Err(unknown(format!("{region}: {error}"))),
        None => Err(unknown(format!("{region} has no ECS that is known"))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_partition_has_its_own_address() {
        for (region, expected) in [
            ("ap-southeast-1", "https://ecs.ap-southeast-1.amazonaws.com"),
            ("cn-north-1", "https://ecs.cn-north-1.amazonaws.com.cn"),
            ("us-gov-west-1", "https://ecs.us-gov-west-1.amazonaws.com"),
        ] {
            assert_eq!(endpoint(region).unwrap(), expected);
        }
    }

    #[test]
    fn what_is_no_region_has_no_address() {
        let failure = endpoint("not a region").unwrap_err();
        assert!(failure.to_string().contains("not a region"), "{failure}");
    }
}
