//! What instance types are.

use std::collections::HashMap;

use aws_sdk_ec2::types::{InstanceType, InstanceTypeHypervisor, InstanceTypeInfo, UsageClassType};

use crate::engine::{Failure, FailureClass};
use crate::model::aws::{Ec2Settings, Market};
use crate::provider::aws::Session;
use crate::provider::aws::limits::Action;
use crate::provider::preflight::{Check, Verdict};

/// How many types one call describes (Amazon EC2 API reference, "DescribeInstanceTypes").
const MOST_DESCRIBED: usize = 100;

/// What is to be known of a type.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TypeInfo {
    /// How many virtual processors it has, unless one asks for fewer.
    pub vcpus: u64,
    /// Whether it is built on the Nitro system.
    pub nitro: bool,
    /// What its processors run, as images name it.
    pub architectures: Vec<String>,
    /// Whether it can be had on the spot market.
    pub spot: bool,
}

/// Types by their names.
pub type Types = HashMap<String, TypeInfo>;

/// What these types are.
///
/// # Errors
/// What AWS says: a type that it does not know, for one.
pub async fn describe(session: &Session, names: &[String]) -> Result<Types, Failure> {
    let mut types = Types::new();
    for names in names.chunks(MOST_DESCRIBED) {
        let request = session.ec2.describe_instance_types();
        let names = names.iter().map(|name| InstanceType::from(name.as_str()));
        let request = request.set_instance_types(Some(names.collect()));
        let action = Action::ec2("DescribeInstanceTypes");
        let answer = session.call(action, || request.clone().send()).await?;
        let described = answer.instance_types.unwrap_or_default();
        types.extend(described.iter().filter_map(read));
    }
    Ok(types)
}

fn read(described: &InstanceTypeInfo) -> Option<(String, TypeInfo)> {
    let name = described.instance_type.as_ref()?.as_str().to_owned();
    let vcpus = described.v_cpu_info.as_ref()?.default_v_cpus?;
    let processor = described.processor_info.as_ref();
    let architectures = processor.map(|processor| processor.supported_architectures());
    Some((
        name,
        TypeInfo {
            vcpus: u64::try_from(vcpus).ok()?,
            // Where there is no hypervisor at all, the machine is one of Nitro's.
            nitro: described
                .hypervisor
                .as_ref()
                .is_none_or(|hypervisor| *hypervisor == InstanceTypeHypervisor::Nitro),
            architectures: architectures
                .unwrap_or_default()
                .iter()
                .map(|architecture| architecture.as_str().to_owned())
                .collect(),
            spot: described
                .supported_usage_classes()
                .contains(&UsageClassType::Spot),
        },
    ))
}

/// Whether the types are what seats need.
pub fn check(settings: &Ec2Settings, types: &Result<Types, Failure>) -> Vec<Check> {
    let types = match types {
        Ok(types) => types,
        Err(failure) => return vec![unreadable(failure)],
    };
    let mut checks = Vec::new();
    for name in &settings.types {
        let Some(info) = types.get(name) else {
            checks.push(unknown_type(format!("AWS says nothing of {name}")));
            continue;
        };
        if !info.nitro {
            let message = format!(
                "{name} is not built on the Nitro system: an instance of it would not hear that \
                 `extend` gives it more time"
            );
            checks.push(Check::new("type", Verdict::Failed, message).with_hint(HINT));
        }
        if settings.market == Market::Spot && !info.spot {
            let message = format!("{name} can't be had on the spot market");
            checks.push(Check::new("type", Verdict::Failed, message).with_hint(HINT));
        }
    }
    if checks.is_empty() {
        let names = settings.types.join(", ");
        checks.push(Check::new("type", Verdict::Passed, names));
    }
    checks
}

const HINT: &str = "name another type in ec2.types, of a newer generation: t3, t3a, m5 and later";

/// One that AWS does not know is an error, and one that may not be asked for is none.
fn unreadable(failure: &Failure) -> Check {
    match failure.class {
        FailureClass::Invalid => {
            Check::new("type", Verdict::Failed, failure.to_string()).with_hint(HINT)
        }
        _ => unknown_type(failure.to_string()),
    }
}

fn unknown_type(message: String) -> Check {
    Check::new("type", Verdict::Unknown, message)
}
