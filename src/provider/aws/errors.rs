//! What AWS answers instead of doing what was asked, in the classes that decide what happens next.
//!
//! Errors are told apart by their codes: a message is for people, and changes.

use aws_credential_types::provider::error::CredentialsError;
use aws_smithy_runtime_api::client::orchestrator::HttpResponse;
use aws_smithy_runtime_api::client::result::SdkError;
use aws_smithy_types::error::metadata::ProvideErrorMetadata;

use crate::engine::{Failure, FailureClass};

/// A call's failure.
pub fn failure<E>(call: &str, error: &SdkError<E, HttpResponse>) -> Failure
where
    E: ProvideErrorMetadata + std::error::Error + Send + Sync + 'static,
{
    match error {
        SdkError::ServiceError(service) => {
            let metadata = service.err().meta();
            let status = service.raw().status().as_u16();
            of_code(call, metadata.code(), metadata.message(), status)
        }
        SdkError::TimeoutError(_) => {
            Failure::new(FailureClass::Timeout, call, "AWS did not answer in time")
        }
        SdkError::ResponseError(response) => {
            let status = response.raw().status().as_u16();
            let message = format!("the answer (HTTP {status}) is not one of AWS's");
            Failure::new(FailureClass::Connection, call, message)
        }
        SdkError::DispatchFailure(dispatch) => {
            let class = if dispatch.is_timeout() {
                FailureClass::Timeout
            } else if lacks_credentials(error) {
                FailureClass::Denied
            } else {
                // It may have been on its way: a connection that breaks after the call was sent is
                // no error of input and output to the SDK.
                FailureClass::Connection
            };
            dispatched(call, class, &chain(error))
        }
        other => dispatched(call, FailureClass::Denied, &chain(other)),
    }
}

/// Whether a call was not made since there is nobody in whose name to make it.
fn lacks_credentials(error: &(dyn std::error::Error + 'static)) -> bool {
    let mut at = Some(error);
    while let Some(error) = at {
        if error.is::<CredentialsError>() {
            return true;
        }
        at = error.source();
    }
    false
}

/// What has no answer: nobody is reached, or there are no credentials.
fn dispatched(call: &str, class: FailureClass, message: &str) -> Failure {
    if class != FailureClass::Denied {
        return Failure::new(class, call, message);
    }
    Failure::new(class, call, message).with_hint(
        "`aws sts get-caller-identity` shows whether this machine has credentials; AWS_PROFILE \
         names others",
    )
}

/// What was wrong, down to its cause: an error of the SDK says nothing of itself.
fn chain(error: &(dyn std::error::Error + 'static)) -> String {
    let mut deepest = error;
    while let Some(source) = deepest.source() {
        deepest = source;
    }
    deepest.to_string()
}

/// A failure of that code.
fn of_code(call: &str, code: Option<&str>, message: Option<&str>, status: u16) -> Failure {
    let code = code.unwrap_or_default();
    let message = message.unwrap_or_default();
    let class = classify(code, message, status);
    let text = match (code, message) {
        ("", "") => format!("HTTP {status}"),
        ("", message) => message.to_owned(),
        (code, "") => code.to_owned(),
        (code, message) => format!("{message} ({code})"),
    };
    let failure = Failure::new(class, call, text);
    match hint(class, code) {
        Some(hint) => failure.with_hint(hint),
        None => failure,
    }
}

/// What kind of failure a code is. `message` counts only where AWS wraps one service's code in
/// another's.
pub fn classify(code: &str, message: &str, status: u16) -> FailureClass {
    // Some services put a namespace before the code and a URL behind it.
    let code = code.rsplit('#').next().unwrap_or(code);
    let code = code.split(':').next().unwrap_or(code);
    let is_in = |codes: &[&str]| codes.contains(&code);
    if is_in(&THROTTLES) || wraps_throttle(code, message) {
        FailureClass::Throttle
    } else if is_in(&CAPACITY) {
        FailureClass::Capacity
    } else if is_in(&QUOTAS) || code.ends_with("LimitExceeded") {
        FailureClass::Quota
    } else if is_in(&DENIALS) {
        FailureClass::Denied
    } else if is_in(&CONFLICTS) || code.ends_with(".Duplicate") || code.ends_with(".InUse") {
        FailureClass::Conflict
    } else if is_in(&ABSENCES)
        || code.ends_with(".NotFound")
        || code.ends_with("NotFoundException")
        || code.ends_with("NotFoundFault")
    {
        FailureClass::NotFound
    } else if status >= 500 || is_in(&FAULTS) {
        FailureClass::Connection
    } else {
        let class = in_words(message).filter(|_| is_vague(code));
        class.unwrap_or(FailureClass::Invalid)
    }
}

/// RunTask on Fargate wraps EC2's throttles (dagster-io/dagster#33439).
fn wraps_throttle(code: &str, message: &str) -> bool {
    is_vague(code) && THROTTLES.iter().any(|throttle| message.contains(throttle))
}

/// ECS's codes for whatever it has no other code for.
fn is_vague(code: &str) -> bool {
    matches!(code, "InvalidParameterException" | "ClientException")
}

/// What ECS has no code for, but words, the same wherever they stand: in an error, among the failures
/// of a RunTask that worked, or as the reason why a task has ended. There is no room ("Amazon ECS API
/// failure reasons" in the Amazon ECS developer guide, and "How do I troubleshoot an Amazon ECS RunTask
/// API for a Fargate task that fails with a \"Capacity is unavailable\" error?" at repost.aws), or a
/// quota of vCPUs or, once, of tasks is used up (wellcomecollection/platform#3875).
pub fn in_words(message: &str) -> Option<FailureClass> {
    if message.contains("Capacity is unavailable") || message.contains("RESOURCE:") {
        Some(FailureClass::Capacity)
    } else if message.contains("reached the limit on the number of") {
        Some(FailureClass::Quota)
    } else {
        None
    }
}

const THROTTLES: [&str; 11] = [
    "RequestLimitExceeded",
    "Throttling",
    "ThrottlingException",
    "ThrottledException",
    "RequestThrottled",
    "RequestThrottledException",
    "TooManyRequestsException",
    "TooManyUpdates",
    "BandwidthLimitExceeded",
    "EC2ThrottledException",
    "SlowDown",
];

/// Elsewhere, or later, there may be room.
const CAPACITY: [&str; 10] = [
    "InsufficientAddressCapacity",
    // Of one subnet, and so of one zone.
    "InsufficientFreeAddressesInSubnet",
    "InsufficientInstanceCapacity",
    "InsufficientHostCapacity",
    "InsufficientCapacity",
    "InsufficientCapacityException",
    "InsufficientReservedInstanceCapacity",
    "SpotMaxPriceTooLow",
    // The type is not offered in that zone.
    "Unsupported",
    "UnsupportedOperation",
];

/// Codes for what is used up that do not end with `LimitExceeded`.
const QUOTAS: [&str; 3] = [
    "LimitExceededException",
    "ServiceQuotaExceededException",
    "MaxSpotInstanceCountExceeded",
];

const DENIALS: [&str; 17] = [
    "UnauthorizedOperation",
    "AccessDenied",
    "AccessDeniedException",
    "AuthFailure",
    "Blocked",
    "BlockedException",
    "ExpiredToken",
    "ExpiredTokenException",
    "IncompleteSignature",
    "InvalidClientTokenId",
    "InvalidSignatureException",
    "MissingAuthenticationToken",
    "OptInRequired",
    "PendingVerification",
    "RequestExpired",
    "SignatureDoesNotMatch",
    "UnrecognizedClientException",
];

const CONFLICTS: [&str; 17] = [
    "ClusterContainsTasksException",
    "ConflictException",
    "DeleteConflict",
    "DependencyViolation",
    "EntityAlreadyExists",
    "IdempotentParameterMismatch",
    "IncorrectInstanceState",
    "IncorrectState",
    "InvalidGroup.InUse",
    "InvalidPermission.Duplicate",
    "InvalidSubnet.Conflict",
    "OperationAborted",
    "OperationAbortedException",
    "ParameterAlreadyExists",
    "Resource.AlreadyAssociated",
    "ResourceAlreadyExistsException",
    "RouteAlreadyExists",
];

const ABSENCES: [&str; 6] = [
    "Gateway.NotAttached",
    "InvalidInstanceID.Malformed",
    "NoSuchEntity",
    "NoSuchEntityException",
    "NoSuchResourceException",
    "ParameterNotFound",
];

/// Failures on AWS's side that may come with another status than 5xx.
const FAULTS: [&str; 7] = [
    "InternalError",
    "InternalFailure",
    "InternalServerError",
    "InternalServiceError",
    "ServerException",
    "ServiceUnavailable",
    "Unavailable",
];

fn hint(class: FailureClass, code: &str) -> Option<String> {
    let text = match (class, code) {
        // EC2 says so of a wrong clock, too.
        (_, "RequestExpired") => {
            "get new credentials (`aws sso login`), and run the same command again: it goes on from \
             what is there; or this machine's clock is wrong (`timedatectl`)"
        }
        (_, "SignatureDoesNotMatch" | "InvalidSignatureException") => {
            "look at this machine's clock (`timedatectl`): AWS takes calls that are at most five \
             minutes off; or the secret key is not the right one"
        }
        (_, "ExpiredToken" | "ExpiredTokenException") => {
            "get new credentials (`aws sso login`), and run the same command again: it goes on from \
             what is there"
        }
        (_, "InvalidClientTokenId" | "UnrecognizedClientException") => {
            "the account has not switched this region on (`aws account list-regions`), or the access \
             key is none of this part of AWS: those of China are apart from all others"
        }
        (_, "OptInRequired") => "switch the region on in the account, or take another one",
        (FailureClass::Denied, "PendingVerification") => {
            "AWS still checks the account; that takes minutes, seldom hours"
        }
        (FailureClass::Denied, "Blocked" | "BlockedException") => {
            "AWS has blocked the account: open a case with AWS Support"
        }
        (FailureClass::Denied, _) => "docs/aws.md lists the permissions that seats need",
        (FailureClass::Quota, "VpcLimitExceeded") => {
            "ask for more of the quota `VPCs per Region` (L-F678F1CE), or remove one"
        }
        (FailureClass::Quota, _) => {
            "`aws service-quotas list-service-quotas` names the quotas; ask for more of this one"
        }
        _ => return None,
    };
    Some(text.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_are_classified_whatever_the_service_puts_around_them() {
        for (code, class) in [
            ("RequestLimitExceeded", FailureClass::Throttle),
            (
                "com.amazonaws.ecs#ThrottlingException",
                FailureClass::Throttle,
            ),
            ("InsufficientInstanceCapacity", FailureClass::Capacity),
            ("VcpuLimitExceeded", FailureClass::Quota),
            ("ParameterLimitExceeded", FailureClass::Quota),
            ("UnauthorizedOperation", FailureClass::Denied),
            ("DependencyViolation", FailureClass::Conflict),
            ("InvalidGroup.Duplicate", FailureClass::Conflict),
            ("InvalidVpcID.NotFound", FailureClass::NotFound),
            ("ClusterNotFoundException", FailureClass::NotFound),
            ("ParameterNotFound:http://x/", FailureClass::NotFound),
            ("InvalidParameterValue", FailureClass::Invalid),
        ] {
            assert_eq!(classify(code, "", 400), class, "{code}");
        }
        assert_eq!(classify("", "", 503), FailureClass::Connection);
        assert_eq!(classify("Weird", "", 500), FailureClass::Connection);
    }

    #[test]
    fn a_throttle_that_is_wrapped_in_another_code_is_one() {
        let message = "EC2 RequestLimitExceeded: Request limit exceeded.";
        let class = classify("InvalidParameterException", message, 400);
        assert_eq!(class, FailureClass::Throttle);
        let class = classify("InvalidParameterException", "no subnet", 400);
        assert_eq!(class, FailureClass::Invalid);
    }

    #[test]
    fn what_ecs_says_in_words_alone_is_understood_where_it_has_no_code() {
        let none = "Capacity is unavailable at this time. Please try again later";
        let limit =
            "You\u{2019}ve reached the limit on the number of vCPUs you can run concurrently";
        for (words, class) in [
            (none, FailureClass::Capacity),
            ("TaskFailedToStart: RESOURCE:MEMORY", FailureClass::Capacity),
            (limit, FailureClass::Quota),
        ] {
            assert_eq!(in_words(words), Some(class), "{words}");
            assert_eq!(classify("ClientException", words, 400), class, "{words}");
        }
        assert_eq!(in_words("Essential container in task exited"), None);
        let class = classify("AccessDeniedException", none, 400);
        assert_eq!(class, FailureClass::Denied);
    }
}
