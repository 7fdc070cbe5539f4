//! Deciding where each image comes from: from the engine, a registry, or a recipe.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use bollard::Docker as Client;
use futures_util::future::join_all;

use super::reference::{at_mirror, familiar};
use super::{Choice, Origin, Recipes, bundled};
use crate::model::environment::{ImagePolicy, ImageSource};
use crate::provider::docker::errors::message;

/// How long a registry has to say whether it has an image. Venues have networks that answer
/// nothing at all; waiting for the engine's own time-out there takes minutes.
const REGISTRY_PATIENCE: Duration = Duration::from_secs(8);

/// Decides for each of `wanted`, which may hold one reference several times. `present` has the
/// engine's images by reference. Nothing is fetched; registries are only asked.
pub async fn resolve(
    client: &Client,
    wanted: impl IntoIterator<Item = &str>,
    present: &HashMap<String, String>,
    policy: &ImagePolicy,
    recipes: &Recipes,
) -> Vec<Choice> {
    let mut references: Vec<&str> = wanted.into_iter().collect();
    references.sort_unstable();
    references.dedup();
    join_all(
        references
            .into_iter()
            .map(|reference| decide(client, reference, present, policy, recipes)),
    )
    .await
}

/// The same without asking anybody, as on an engine that has no image: the first source that may
/// have one is taken for the one that does.
pub fn resolve_unasked<'a>(
    wanted: impl IntoIterator<Item = &'a str>,
    policy: &ImagePolicy,
    recipes: &Recipes,
) -> Vec<Choice> {
    let mut references: Vec<&str> = wanted.into_iter().collect();
    references.sort_unstable();
    references.dedup();
    references
        .into_iter()
        .map(|wanted| decide_unasked(wanted, policy, recipes))
        .collect()
}

fn decide_unasked(wanted: &str, policy: &ImagePolicy, recipes: &Recipes) -> Choice {
    if let Some(image) = policy.bundled.iter().find(|image| image.wanted == wanted) {
        return bundled::choose(image, &HashMap::new());
    }
    let found = policy.sources.iter().find_map(|source| match source {
        ImageSource::Registry => {
            let pull = policy
                .mirrors
                .iter()
                .find_map(|mirror| at_mirror(wanted, mirror))
                .unwrap_or_else(|| familiar(wanted));
            Some((wanted, Origin::Registry { pull }))
        }
        ImageSource::Recipe => {
            let recipe = &recipes.standing_in_for(wanted)?.name;
            let origin = Origin::Recipe {
                recipe: recipe.clone(),
            };
            Some((recipe.as_str(), origin))
        }
    });
    let (reference, origin) = found.unwrap_or_else(|| {
        let reasons = vec!["no recipe stands in for it".to_owned()];
        (wanted, Origin::Nowhere { reasons })
    });
    Choice {
        wanted: wanted.to_owned(),
        reference: Arc::from(reference),
        origin,
    }
}

async fn decide(
    client: &Client,
    wanted: &str,
    present: &HashMap<String, String>,
    policy: &ImagePolicy,
    recipes: &Recipes,
) -> Choice {
    if let Some(image) = policy.bundled.iter().find(|image| image.wanted == wanted) {
        return bundled::choose(image, present);
    }
    let choice = |reference: &str, origin| Choice {
        wanted: wanted.to_owned(),
        reference: Arc::from(reference),
        origin,
    };
    let here = |reference: &str| {
        let id = present.get(&familiar(reference))?.clone();
        Some(choice(reference, Origin::Present { id }))
    };
    let recipe = policy
        .sources
        .contains(&ImageSource::Recipe)
        .then(|| recipes.standing_in_for(wanted))
        .flatten();
    // What is there already needs no network and no time: the image itself, then a stand-in.
    if let Some(choice) = here(wanted).or_else(|| here(&recipe?.name)) {
        return choice;
    }
    let mut reasons = Vec::new();
    for source in &policy.sources {
        match source {
            ImageSource::Registry => match ask_registries(client, wanted, policy).await {
                Ok(pull) => return choice(wanted, Origin::Registry { pull }),
                Err(mut said) => reasons.append(&mut said),
            },
            ImageSource::Recipe => match recipe {
                Some(recipe) => {
                    let origin = Origin::Recipe {
                        recipe: recipe.name.clone(),
                    };
                    return choice(&recipe.name, origin);
                }
                None => reasons.push("no recipe stands in for it".to_owned()),
            },
        }
    }
    choice(wanted, Origin::Nowhere { reasons })
}

/// The first mirror that has the image, or its own registry.
async fn ask_registries(
    client: &Client,
    wanted: &str,
    policy: &ImagePolicy,
) -> Result<String, Vec<String>> {
    let candidates = policy
        .mirrors
        .iter()
        .filter_map(|mirror| at_mirror(wanted, mirror))
        .chain([familiar(wanted)]);
    let mut reasons = Vec::new();
    for candidate in candidates {
        let asked = client.inspect_registry_image(&candidate, None);
        match tokio::time::timeout(REGISTRY_PATIENCE, asked).await {
            Ok(Ok(_)) => return Ok(candidate),
            Ok(Err(error)) => {
                reasons.push(format!("the registry of {candidate}: {}", message(&error)))
            }
            Err(_) => reasons.push(format!(
                "the registry of {candidate}: no answer within {} s",
                REGISTRY_PATIENCE.as_secs()
            )),
        }
    }
    Err(reasons)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn origin(sources: &[ImageSource], mirrors: &[&str], wanted: &str) -> Origin {
        let policy = ImagePolicy {
            sources: sources.to_vec(),
            mirrors: mirrors.iter().map(|m| (*m).to_owned()).collect(),
            recipes: None,
            bundled: Vec::new(),
        };
        let mut choices = resolve_unasked([wanted, wanted], &policy, &Recipes::built_in());
        assert_eq!(choices.len(), 1, "one choice an image");
        choices.remove(0).origin
    }

    #[test]
    fn unasked_the_first_source_that_may_have_an_image_is_taken() {
        use ImageSource::{Recipe, Registry};
        let pull = |pull: &str| Origin::Registry {
            pull: pull.to_owned(),
        };
        let recipe = Origin::Recipe {
            recipe: "seatbox.local/redis:7".to_owned(),
        };
        assert_eq!(origin(&[Registry, Recipe], &[], "redis:7"), pull("redis:7"));
        assert_eq!(
            origin(&[Registry], &["mirror.example"], "redis:7"),
            pull("mirror.example/library/redis:7")
        );
        assert_eq!(origin(&[Recipe, Registry], &[], "redis:7"), recipe);
        assert_eq!(
            origin(&[Recipe, Registry], &[], "busybox"),
            pull("busybox:latest")
        );
        assert!(matches!(
            origin(&[Recipe], &[], "busybox"),
            Origin::Nowhere { .. }
        ));
    }
}
