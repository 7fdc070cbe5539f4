//! What came of a bundle, in words.

use super::words;
use crate::bundle::{Brought, Bundle, Manifest, Outcome, Saved};

/// A bundle that was saved.
pub fn saved(saved: &Saved) -> String {
    let path = saved.path.display().to_string();
    format!(
        "saved   {path}: {}, {} unpacked\n{}next    seatbox up --bundle {}\n",
        words::bytes(saved.size),
        words::bytes(saved.manifest.bytes),
        contents(&saved.manifest, &saved.digest),
        shell_words::quote(&path)
    )
}

/// What an engine got of a bundle's images.
pub fn loaded(bundle: &Bundle, brought: &Brought) -> String {
    let mut text = contents(&bundle.manifest, &bundle.digest);
    for image in &brought.images {
        let what = match image.outcome {
            Outcome::Loaded => "loaded",
            Outcome::Named => "named",
            Outcome::Present => "present",
        };
        text.push_str(&format!("{what:<7} {}", image.reference));
        if let Some(other) = &image.instead_of {
            text.push_str(&format!(" ({other} is another image here)"));
        }
        text.push('\n');
    }
    let path = bundle.path().display().to_string();
    text.push_str(&format!(
        "next    seatbox up --bundle {}\n",
        shell_words::quote(&path)
    ));
    text
}

fn contents(manifest: &Manifest, digest: &str) -> String {
    let mut text = format!(
        "holds   {}: {}, {} for {}/{}\n",
        manifest.environment,
        words::count(manifest.files.len(), "file"),
        words::count(manifest.images.len(), "image"),
        manifest.os,
        manifest.architecture
    );
    if !manifest.settings.is_empty() {
        text.push_str(&format!("set     {}\n", manifest.settings.join(", ")));
    }
    text.push_str(&format!("digest  {digest}\n"));
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bundle::LoadedImage;
    use crate::bundle::fixture::Fixture;

    #[test]
    fn a_bundle_says_what_it_holds_and_what_to_type_next() {
        let fixture = Fixture::new();
        let digest = crate::bundle::manifest::digest(&fixture.manifest.to_bytes());
        let text = saved(&Saved {
            path: "an event.seatbox".into(),
            size: 1_234_000,
            digest: digest.clone(),
            manifest: fixture.manifest.clone(),
        });
        assert_eq!(
            text,
            format!(
                "saved   an event.seatbox: 1.2 MB, 642.0 kB unpacked\n\
                 holds   t-bundle: 4 files, 1 image for linux/amd64\n\
                 set     seats.count=2\n\
                 digest  {digest}\n\
                 next    seatbox up --bundle 'an event.seatbox'\n"
            )
        );
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("t.seatbox");
        std::fs::write(&path, fixture.bytes()).unwrap();
        let brought = Brought {
            images: vec![LoadedImage {
                wanted: vec!["redis:7".to_owned()],
                reference: "seatbox.local/bundle:0123456789ab".to_owned(),
                id: String::new(),
                outcome: Outcome::Loaded,
                instead_of: Some("redis:7".to_owned()),
            }],
            bytes: 1,
        };
        let text = loaded(&Bundle::open(&path).unwrap(), &brought);
        let line = "loaded  seatbox.local/bundle:0123456789ab (redis:7 is another image here)\n";
        assert!(text.contains(line) && text.contains(&digest), "{text}");
    }
}
