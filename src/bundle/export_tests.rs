use std::path::Path;

use super::*;
use crate::bundle::fixture::sha256;

fn config(layers: &[&[u8]]) -> Vec<u8> {
    let ids: Vec<String> = layers
        .iter()
        .map(|layer| format!("sha256:{}", sha256(layer)))
        .collect();
    serde_json::json!({"os": "linux", "architecture": "arm64", "rootfs": {"diff_ids": ids}})
        .to_string()
        .into_bytes()
}

fn file(archive: &mut tar::Builder<Vec<u8>>, path: &str, content: &[u8]) {
    let mut header = tar::Header::new_gnu();
    header.set_size(content.len() as u64);
    archive.append_data(&mut header, path, content).unwrap();
}

fn link(archive: &mut tar::Builder<Vec<u8>>, kind: tar::EntryType, path: &str, to: &str) {
    let mut header = tar::Header::new_gnu();
    header.set_entry_type(kind);
    header.set_size(0);
    archive.append_link(&mut header, path, to).unwrap();
}

fn apart(archive: tar::Builder<Vec<u8>>, root: &Path) -> Result<Export> {
    take_apart(archive.into_inner().unwrap().as_slice(), root, &mut |_| {
        Ok(())
    })
}

/// The blobs that are on the disk.
fn kept(root: &Path) -> Vec<String> {
    let mut names: Vec<String> = std::fs::read_dir(root.join(BLOBS))
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    names.sort();
    names
}

#[test]
fn both_forms_of_an_export_come_apart_into_the_same_blobs_and_shared_layers_come_once() {
    let (base, one, other) = (b"base".as_slice(), b"one".as_slice(), b"other".as_slice());
    let first = config(&[base, one]);
    let second = config(&[base, other]);

    // As engines write it until 24: one directory a layer, links to those that came before.
    let mut old = tar::Builder::new(Vec::new());
    file(&mut old, &format!("{}.json", sha256(&first)), &first);
    file(&mut old, &format!("{}.json", sha256(&second)), &second);
    file(&mut old, "aa/VERSION", b"1.0");
    file(&mut old, "aa/json", b"{}");
    file(&mut old, "aa/layer.tar", base);
    file(&mut old, "bb/layer.tar", one);
    link(
        &mut old,
        tar::EntryType::Symlink,
        "cc/layer.tar",
        "../aa/layer.tar",
    );
    link(
        &mut old,
        tar::EntryType::Link,
        "dd/layer.tar",
        "cc/layer.tar",
    );
    file(&mut old, "ee/layer.tar", other);
    let table = serde_json::json!([
        {"Config": format!("{}.json", sha256(&first)), "RepoTags": null, "Layers": ["aa/layer.tar", "bb/layer.tar"]},
        {"Config": format!("{}.json", sha256(&second)), "RepoTags": ["x:1"], "Layers": ["dd/layer.tar", "ee/layer.tar"]},
    ]);
    file(&mut old, "manifest.json", table.to_string().as_bytes());
    file(&mut old, "repositories", b"{}");

    // As they write it from 25 on.
    let mut new = tar::Builder::new(Vec::new());
    let blob = |content: &[u8]| format!("blobs/sha256/{}", sha256(content));
    for content in [&first, &second, base, one, other] {
        file(&mut new, &blob(content), content);
    }
    file(&mut new, &blob(b"an attestation"), b"an attestation");
    file(&mut new, "index.json", b"{}");
    let table = serde_json::json!([
        {"Config": blob(&first), "RepoTags": null, "Layers": [blob(base), blob(one)]},
        {"Config": blob(&second), "RepoTags": null, "Layers": [blob(base), blob(other)]},
    ]);
    file(&mut new, "manifest.json", table.to_string().as_bytes());

    let (here, there) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let export = apart(old, here.path()).unwrap();
    assert_eq!(export, apart(new, there.path()).unwrap());
    assert_eq!(export.blobs.len(), 5);
    assert_eq!(export.images.len(), 2);
    assert_eq!(
        export.images[&sha256(&second)].layers,
        [sha256(base), sha256(other)]
    );
    assert_eq!(export.images[&sha256(&first)].architecture, "arm64");
    let mut all = [&first, &second, base, one, other].map(sha256);
    all.sort();
    assert_eq!(kept(here.path()), all);
    assert_eq!(kept(there.path()), all);
}

#[test]
fn a_layer_that_is_not_the_one_that_the_configuration_names_is_an_error() {
    let first = config(&[b"base"]);
    let mut archive = tar::Builder::new(Vec::new());
    file(&mut archive, "c.json", &first);
    file(&mut archive, "layer.tar", b"compressed");
    let table = r#"[{"Config": "c.json", "Layers": ["layer.tar"]}]"#;
    file(&mut archive, "manifest.json", table.as_bytes());
    let root = tempfile::tempdir().unwrap();
    let error = apart(archive, root.path()).unwrap_err();
    assert!(error.to_string().contains("not those that"), "{error}");
}

#[test]
fn an_export_that_lacks_something_or_is_cut_off_is_an_error() {
    let root = tempfile::tempdir().unwrap();
    let mut archive = tar::Builder::new(Vec::new());
    link(&mut archive, tar::EntryType::Symlink, "a", "b");
    link(&mut archive, tar::EntryType::Symlink, "b", "a");
    let table = r#"[{"Config": "a", "Layers": []}]"#;
    file(&mut archive, "manifest.json", table.as_bytes());
    let error = apart(archive, root.path()).unwrap_err();
    assert!(error.to_string().contains("`a` is missing"), "{error}");
    apart(tar::Builder::new(Vec::new()), root.path()).unwrap_err();

    let mut archive = tar::Builder::new(Vec::new());
    file(&mut archive, "layer.tar", &[7; 4096]);
    let bytes = archive.into_inner().unwrap();
    take_apart(&bytes[..2000], root.path(), &mut |_| Ok(())).unwrap_err();
}

#[test]
fn who_interrupts_an_export_ends_it() {
    let root = tempfile::tempdir().unwrap();
    let mut archive = tar::Builder::new(Vec::new());
    file(&mut archive, "layer.tar", &[7; 4096]);
    let bytes = archive.into_inner().unwrap();
    let result = take_apart(bytes.as_slice(), root.path(), &mut |_| {
        Err(Error::Interrupted)
    });
    assert!(matches!(result, Err(Error::Interrupted)), "{result:?}");
}
