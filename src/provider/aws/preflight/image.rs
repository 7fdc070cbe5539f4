//! The image, and whether the types run it.

use super::types::Types;
use crate::engine::{Failure, FailureClass};
use crate::provider::aws::ec2::Image;
use crate::provider::preflight::{Check, Verdict};

/// Whether there is such an image, and each of `names` runs it.
pub fn check(image: Result<&Image, Failure>, types: &Types, names: &[String]) -> Check {
    let image = match image {
        Ok(image) => image,
        Err(failure) => return unreadable(&failure),
    };
    let Some(architecture) = &image.architecture else {
        return Check::new("image", Verdict::Passed, image.id.clone());
    };
    let runs = |name: &&String| {
        types
            .get(*name)
            .is_none_or(|info| info.architectures.contains(architecture))
    };
    let (run, others): (Vec<&String>, Vec<&String>) = names.iter().partition(runs);
    if others.is_empty() {
        let message = format!("{} for {architecture}", image.id);
        return Check::new("image", Verdict::Passed, message);
    }
    let others: Vec<&str> = others.into_iter().map(String::as_str).collect();
    let message = format!(
        "{} is for {architecture}, which {} can't run",
        image.id,
        others.join(", ")
    );
    let hint = match run.is_empty() {
        true => "name another image in ec2.image, or other types in ec2.types",
        false => "all of ec2.types must run the image: they stand in for each other",
    };
    Check::new("image", Verdict::Failed, message).with_hint(hint)
}

fn unreadable(failure: &Failure) -> Check {
    let verdict = match failure.class {
        FailureClass::Invalid | FailureClass::NotFound => Verdict::Failed,
        _ => Verdict::Unknown,
    };
    let check = Check::new("image", verdict, failure.to_string());
    match &failure.hint {
        Some(hint) => check.with_hint(hint.clone()),
        None => check,
    }
}
