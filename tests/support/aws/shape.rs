//! Limits of single calls that AWS documents and the emulator does not look at.

use serde_json::Value;

use super::answer::Refusal;
use super::call::{Call, Parameters};

/// The most that one call may name, by service, action and parameter.
const MOST: [(&str, &str, &str, usize); 12] = [
    ("ec2", "TerminateInstances", "InstanceId", 1000),
    ("ec2", "DescribeInstances", "InstanceId", 1000),
    ("ec2", "CreateTags", "ResourceId", 1000),
    ("ecs", "DescribeTasks", "tasks", 100),
    ("ecs", "DescribeClusters", "clusters", 100),
    ("ecs", "DeleteTaskDefinitions", "taskDefinitions", 10),
    ("ssm", "GetParameters", "Names", 10),
    ("ssm", "DeleteParameters", "Names", 10),
    ("logs", "FilterLogEvents", "logStreamNames", 100),
    ("tagging", "TagResources", "ResourceARNList", 20),
    ("tagging", "UntagResources", "ResourceARNList", 20),
    ("tagging", "GetResources", "ResourceARNList", 100),
];

/// Of an instance's user data before it is encoded, in bytes.
const USER_DATA: usize = 16 * 1024;

/// Of all filters of a call.
const FILTER_VALUES: usize = 200;

/// Of a standard parameter, in bytes.
const PARAMETER: usize = 4096;

/// On one thing.
const TAGS: usize = 50;

/// Refuses what is too large, or has characters that are not allowed.
pub(super) fn check(call: &Call) -> Result<(), Refusal> {
    let refuse = |message: String| {
        let code = match &*call.service {
            "ec2" => "InvalidParameterValue",
            "ecs" | "logs" | "tagging" => "InvalidParameterException",
            _ => "ValidationException",
        };
        Err(Refusal::new(code, message))
    };
    for (service, action, name, most) in MOST {
        if call.is(service, action) && call.list(name).len() > most {
            return refuse(format!("{name} has more than {most} members"));
        }
    }
    if call.action == "RunInstances"
        && let Some(data) = call.text("UserData")
        && data.trim_end_matches('=').len() * 3 / 4 > USER_DATA
    {
        return refuse(format!("User data is limited to {USER_DATA} bytes"));
    }
    if let Parameters::Form(pairs) = &call.parameters {
        let values = pairs
            .iter()
            .filter(|(name, _)| name.starts_with("Filter.") && name.contains(".Value"));
        if values.count() > FILTER_VALUES {
            return refuse(format!(
                "The maximum number of filter values is {FILTER_VALUES}"
            ));
        }
    }
    if call.is("ssm", "PutParameter")
        && call.text("Tier").is_none_or(|tier| tier == "Standard")
        && call
            .text("Value")
            .is_some_and(|value| value.len() > PARAMETER)
    {
        return refuse(format!(
            "Standard tier parameters support a maximum of {PARAMETER} characters"
        ));
    }
    let tags = tags(call);
    for (key, value) in tags.iter().flatten() {
        if key.is_empty() || key.chars().count() > 128 || value.chars().count() > 256 {
            return refuse(format!("the tag {key} is too long, or has no name"));
        }
        if key.starts_with("aws:") {
            return refuse(format!("the tag {key} has a name that is AWS's"));
        }
        if call.service != "ec2" && !(plain(key) && plain(value)) {
            return refuse(format!(
                "the tag {key} has characters that are not allowed: {value}"
            ));
        }
        if call.text("MetadataOptions.InstanceMetadataTags") == Some("enabled")
            && key.contains(['/', ' '])
        {
            return refuse(format!("the tag {key} can't be in an instance's metadata"));
        }
    }
    match tags.iter().map(Vec::len).max() {
        Some(most) if most > TAGS => refuse(format!("more than {TAGS} tags")),
        _ => Ok(()),
    }
}

/// What tags of most services consist of; EC2's are free.
fn plain(text: &str) -> bool {
    text.chars()
        .all(|one| one.is_alphanumeric() || one == ' ' || "+-=._:/@".contains(one))
}

/// The tags of a call, one list for each thing that is tagged.
fn tags(call: &Call) -> Vec<Vec<(&str, &str)>> {
    match &call.parameters {
        Parameters::Form(pairs) => {
            let mut lists = std::collections::BTreeMap::<&str, Vec<(&str, &str)>>::new();
            for (name, key) in pairs {
                let Some(tag) = name.strip_suffix(".Key") else {
                    continue;
                };
                let Some((list, _)) = tag.rsplit_once("Tag.") else {
                    continue;
                };
                let value = call.text(&format!("{tag}.Value")).unwrap_or_default();
                lists.entry(list).or_default().push((key, value));
            }
            lists.into_values().collect()
        }
        Parameters::Json(json) => {
            let lists = ["tags", "Tags"].map(|name| match &json[name] {
                Value::Array(tags) => tags
                    .iter()
                    .map(|tag| {
                        let part = |small: &str, large: &str| {
                            tag[small]
                                .as_str()
                                .or_else(|| tag[large].as_str())
                                .unwrap_or_default()
                        };
                        (part("key", "Key"), part("value", "Value"))
                    })
                    .collect(),
                Value::Object(tags) => tags
                    .iter()
                    .map(|(key, value)| (key.as_str(), value.as_str().unwrap_or_default()))
                    .collect(),
                _ => Vec::new(),
            });
            lists.into()
        }
        Parameters::Other(_) => Vec::new(),
    }
}
