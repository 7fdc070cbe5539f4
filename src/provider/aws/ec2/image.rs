//! What instances are made from.

use crate::engine::{Failure, FailureClass};
use crate::model::aws::MachineImage;
use crate::provider::aws::Session;
use crate::provider::aws::limits::Action;

/// A machine image of a region.
#[derive(Debug, Clone)]
pub struct Image {
    /// Its id.
    pub id: String,
    /// The name of its disk.
    pub root: String,
    /// What it runs on: `x86_64`, `arm64`.
    pub architecture: Option<String>,
}

/// The image that is named.
///
/// # Errors
/// There is none, or AWS does not say which.
pub async fn find(session: &Session, named: &MachineImage) -> Result<Image, Failure> {
    let id = match named {
        MachineImage::Id(id) => id.clone(),
        MachineImage::Parameter(name) => {
            let request = session.ssm.get_parameter().name(name);
            let answer = session
                .call(Action::ssm("GetParameter"), || request.clone().send())
                .await
                .map_err(|failure| match failure.class {
                    FailureClass::NotFound => failure.with_hint(format!(
                        "ec2.image: {name} names no image in {}",
                        session.region
                    )),
                    _ => failure,
                })?;
            answer
                .parameter
                .and_then(|parameter| parameter.value)
                .unwrap_or_default()
        }
    };
    let request = session.ec2.describe_images().image_ids(&id);
    let answer = session
        .call(Action::ec2("DescribeImages"), || request.clone().send())
        .await?;
    let image = answer
        .images
        .unwrap_or_default()
        .into_iter()
        .next()
        .ok_or_else(|| {
            let message = format!("there is no image {id} in {}", session.region);
            Failure::new(FailureClass::Invalid, "DescribeImages", message)
        })?;
    Ok(Image {
        id,
        architecture: image.architecture.map(|of| of.as_str().to_owned()),
        root: image
            .root_device_name
            .unwrap_or_else(|| "/dev/sda1".to_owned()),
    })
}
