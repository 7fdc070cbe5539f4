//! Getting an image from where it was found to be.

use std::sync::Arc;

use bollard::Docker as Client;

use super::{Choice, Origin, Recipes, build, pull};
use crate::engine::{Failure, FailureClass, Progress};

/// Gets images.
#[derive(Debug, Clone, Default)]
pub struct Fetch {
    /// The recipes there are.
    pub recipes: Arc<Recipes>,
}

impl Fetch {
    /// Gets one image, so that the engine has it under the reference that containers use.
    pub async fn fetch(
        &self,
        client: &Client,
        choice: &Choice,
        progress: &Progress,
    ) -> Result<(), Failure> {
        match &choice.origin {
            Origin::Present { .. } => Ok(()),
            Origin::Registry { pull } => {
                pull::pull(client, pull, &choice.reference, progress).await
            }
            Origin::Recipe { recipe } => match self.recipes.named(recipe) {
                Some(recipe) => build::build(client, recipe, progress).await,
                None => Err(Failure::new(
                    FailureClass::NotFound,
                    "build image",
                    format!("there is no recipe {recipe}"),
                )),
            },
            // What a bundle holds is brought here before there is a plan, once all of it is checked.
            Origin::Bundle { .. } => Err(Failure::new(
                FailureClass::NotFound,
                "get image",
                format!("{} is in the bundle, and not on this engine", choice.wanted),
            )
            .with_hint("`seatbox images load` with the bundle brings it here")),
            Origin::Nowhere { reasons } => Err(Failure::new(
                FailureClass::NotFound,
                "get image",
                format!(
                    "{} is nowhere to be had: {}",
                    choice.wanted,
                    reasons.join("; ")
                ),
            )),
        }
    }
}
