//! Images that come with a bundle: which name they have on an engine.

use std::collections::HashMap;
use std::sync::Arc;

use super::reference::familiar;
use super::{Choice, Origin};
use crate::model::BundledImage;

/// The name of an image whose own name is taken on an engine by another one. Nobody's image is
/// called so by chance, and the same image is always called the same.
pub fn private_name(id: &str) -> String {
    let digest = id.strip_prefix("sha256:").unwrap_or(id);
    format!("seatbox.local/bundle:{}", &digest[..digest.len().min(12)])
}

/// The name of a bundle's image on an engine that has the images `present`, and whether it is there
/// under it.
pub fn name(reference: &str, id: &str, present: &HashMap<String, String>) -> (String, bool) {
    let private = private_name(id);
    let holder = |name: &str| present.get(&familiar(name)).map(String::as_str);
    if holder(reference) == Some(id) {
        (reference.to_owned(), true)
    } else if holder(&private) == Some(id) {
        (private, true)
    } else if holder(reference).is_none() && !reference.contains('@') {
        (reference.to_owned(), false)
    } else {
        // The name is another image's, or has a digest in it, which only a registry gives.
        (private, false)
    }
}

/// The decision for an image that the environment's bundle has: it and no other, under whichever of
/// its two names the engine has it.
pub fn choose(image: &BundledImage, present: &HashMap<String, String>) -> Choice {
    let (reference, here) = name(&image.reference, &image.id, present);
    let id = image.id.clone();
    Choice {
        wanted: image.wanted.clone(),
        reference: Arc::from(reference),
        origin: if here {
            Origin::Present { id }
        } else {
            Origin::Bundle { id }
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ID: &str = "sha256:0123456789abcdef";

    fn chosen(reference: &str, present: &[(&str, &str)]) -> (String, bool) {
        let image = BundledImage {
            wanted: "redis:7".to_owned(),
            reference: reference.to_owned(),
            id: ID.to_owned(),
        };
        let owned = |(name, id): &(&str, &str)| ((*name).to_owned(), (*id).to_owned());
        let choice = choose(&image, &present.iter().map(owned).collect());
        let here = matches!(choice.origin, Origin::Present { .. });
        (choice.reference.to_string(), here)
    }

    #[test]
    fn an_image_of_a_bundle_is_known_by_its_id_and_takes_nobodys_name() {
        let private = "seatbox.local/bundle:0123456789ab";
        let other = "sha256:00";
        let yes = |name: &str| (name.to_owned(), true);
        let no = |name: &str| (name.to_owned(), false);
        assert_eq!(chosen("redis:7", &[("redis:7", ID)]), yes("redis:7"));
        assert_eq!(chosen("redis:7", &[]), no("redis:7"));
        assert_eq!(chosen("redis:7", &[("redis:7", other)]), no(private));
        let both = [("redis:7", other), (private, ID)];
        assert_eq!(chosen("redis:7", &both), yes(private));
        assert_eq!(chosen("redis@sha256:11", &[]), no(private));
        // What an engine has pulled by that digest is that image.
        let pulled = [("redis@sha256:11", ID)];
        assert_eq!(chosen("redis@sha256:11", &pulled), yes("redis@sha256:11"));
    }
}
