//! Canonical's public parameters, by which the images of Ubuntu are found. The emulator has those of
//! Amazon alone.

use serde_json::{Value, json};

use super::answer::{Answer, Refusal};
use super::call::Call;
use super::upstream::Upstream;

/// The image of Ubuntu 22.04 for amd64, which is the one that most tests take.
pub const JAMMY: &str = "ami-0a1b2c3d4e5f62204";

/// What comes after `/aws/service/canonical/ubuntu/server/`, and the image in `scripts/emulator/images.json`.
const IMAGES: [(&str, &str); 3] = [
    ("22.04/stable/current/amd64/hvm/ebs-gp2/ami-id", JAMMY),
    (
        "22.04/stable/current/arm64/hvm/ebs-gp2/ami-id",
        "ami-0a1b2c3d4e5f6220a",
    ),
    (
        "24.04/stable/current/amd64/hvm/ebs-gp3/ami-id",
        "ami-0a1b2c3d4e5f62404",
    ),
];

/// Refuses to read a public parameter.
pub(super) fn refuse(call: &Call) -> Result<(), Refusal> {
    let mut names = call.text("Name").into_iter().chain(call.list("Names"));
    if call.service == "ssm" && names.any(|name| name.starts_with("/aws/service/")) {
        let message = format!("You are not authorized to perform: ssm:{}", call.action);
        return Err(Refusal::new("AccessDeniedException", &message));
    }
    Ok(())
}

/// The answer, if it is one of these that is asked for.
pub(super) async fn answer(call: &Call, upstream: &Upstream) -> Option<Answer> {
    if call.is("ssm", "GetParameter") {
        let parameter = parameter(call, call.text("Name")?)?;
        return Some(Answer::json(&json!({"Parameter": parameter})));
    }
    if !call.is("ssm", "GetParameters") {
        return None;
    }
    let names = call.list("Names");
    let found = names.iter().filter_map(|name| parameter(call, name));
    let mut found: Vec<Value> = found.collect();
    if found.is_empty() {
        return None;
    }
    let others: Vec<&str> = names
        .into_iter()
        .filter(|name| image(name).is_none())
        .collect();
    let mut answer = json!({"Parameters": [], "InvalidParameters": []});
    if !others.is_empty() {
        let rest =
            json!({"Names": others, "WithDecryption": call.json()["WithDecryption"] == true});
        answer = upstream.ask_json(call, "ssm", "GetParameters", rest).await;
    }
    if let Some(parameters) = answer["Parameters"].as_array_mut() {
        parameters.append(&mut found);
    }
    Some(Answer::json(&answer))
}

fn image(name: &str) -> Option<&'static str> {
    let rest = name.strip_prefix("/aws/service/canonical/ubuntu/server/")?;
    let known = IMAGES.iter().find(|(path, _)| *path == rest);
    known.map(|(_, image)| *image)
}

fn parameter(call: &Call, name: &str) -> Option<Value> {
    let image = image(name)?;
    Some(json!({
        "ARN": format!("arn:aws:ssm:{}::parameter{name}", call.region),
        "DataType": "aws:ec2:image",
        "LastModifiedDate": 1_791_000_000.0,
        "Name": name,
        "Type": "String",
        "Value": image,
        "Version": 1,
    }))
}
