//! How large images are together, before they are exported.

use std::collections::HashSet;

use bollard::Docker as Client;

use super::error::Result;
use crate::provider::docker::errors::failure;

/// What an engine tells of an image's layers: not which has which size, but in which steps the image
/// was made, and what each of them added.
#[derive(Debug)]
struct History {
    /// The digest of the lowest layer: images that share any share that.
    lowest: String,
    /// When and how each step was made, and what it added, from the lowest layer on.
    steps: Vec<(i64, String, u64)>,
    /// The size of the image.
    size: u64,
}

/// How many bytes those images have, with the layers that they share counted once.
///
/// # Errors
///
/// What the engine says.
pub async fn together(client: &Client, ids: impl Iterator<Item = &String>) -> Result<u64> {
    let bytes = |size: i64| u64::try_from(size).unwrap_or(0);
    let mut images = Vec::new();
    for id in ids {
        let image = client.inspect_image(id).await;
        let image = image.map_err(|error| failure("inspect image", &error))?;
        let history = client.image_history(id).await;
        let history = history.map_err(|error| failure("ask for an image's history", &error))?;
        let layers = image.root_fs.and_then(|layers| layers.layers);
        images.push(History {
            lowest: layers
                .unwrap_or_default()
                .first()
                .cloned()
                .unwrap_or_default(),
            steps: history
                .into_iter()
                .rev()
                .map(|step| (step.created, step.created_by, bytes(step.size)))
                .collect(),
            size: bytes(image.size.unwrap_or(0)),
        });
    }
    Ok(add_up(&images))
}

fn add_up(images: &[History]) -> u64 {
    let mut seen = HashSet::new();
    let mut sum = 0_u64;
    for image in images {
        let mut told = 0;
        for (place, (.., size)) in image.steps.iter().enumerate() {
            told += size;
            // A step is the same only on top of the same ones.
            if seen.insert((&image.lowest, &image.steps[..=place])) {
                sum += size;
            }
        }
        sum += image.size.saturating_sub(told);
    }
    sum
}

#[cfg(test)]
mod tests {
    use super::*;

    fn image(lowest: &str, steps: &[(&str, u64)]) -> History {
        History {
            lowest: lowest.to_owned(),
            steps: steps
                .iter()
                .map(|(by, size)| (1, (*by).to_owned(), *size))
                .collect(),
            size: steps.iter().map(|(_, size)| size).sum(),
        }
    }

    #[test]
    fn what_images_share_is_counted_once_and_nothing_else_is_taken_for_it() {
        let base = ("base", 100);
        let one = image("a", &[base, ("env", 0), ("one", 20)]);
        let other = image("a", &[base, ("env", 0), ("other", 3), ("one", 20)]);
        assert_eq!(add_up(&[one, other]), 143);
        // The same words on another layer are another layer.
        let apart = [image("a", &[base]), image("b", &[base])];
        assert_eq!(add_up(&apart), 200);
        // An engine that has lost the history still has the size.
        let mut lost = image("a", &[]);
        lost.size = 70;
        assert_eq!(add_up(&[lost, image("a", &[base])]), 170);
    }
}
