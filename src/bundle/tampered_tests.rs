//! Bundles that are not what was saved: cut off, damaged, made up.

use tokio_util::sync::CancellationToken;

use super::fixture::{Fixture, append, archive, compress, open, read_whole, refusal};
use super::manifest::{self, MAX_FILE_BYTES, Manifest};
use super::unpack::Unpacked;

#[test]
fn a_bundle_that_is_cut_off_anywhere_is_refused_and_says_how_far_it_goes() {
    let bytes = Fixture::new().bytes();
    for end in (0..bytes.len())
        .step_by(bytes.len() / 300)
        .chain([bytes.len() - 1])
    {
        let said = refusal(&bytes[..end]);
        let known = ["empty", "no bundle", "cut off"];
        assert!(
            known.iter().any(|word| said.contains(word)),
            "{end}: {said}"
        );
    }
    // zstd gives out what it has block by block, so what it says is a block too little at most.
    let said = refusal(&bytes[..bytes.len() - 10]);
    let far = ": 515.0 kB of 642.0 kB are there";
    assert!(said.contains(far), "{said}");
}

#[test]
fn a_bundle_with_a_byte_changed_anywhere_is_refused_or_holds_the_same() {
    let bytes = Fixture::new().bytes();
    let whole = read_whole(&bytes).unwrap();
    let mut refused = 0;
    let begin = 0..200.min(bytes.len());
    let places: Vec<usize> = begin
        .chain((200..bytes.len()).step_by(bytes.len() / 500))
        .collect();
    for place in &places {
        let mut changed = bytes.clone();
        changed[*place] ^= 0x10;
        match read_whole(&changed) {
            Err(super::Error::Refused { .. }) => refused += 1,
            // How large a window is to be kept has no effect on what is read.
            Ok(same) => assert_eq!(same, whole, "byte {place}"),
            Err(other) => panic!("byte {place}: {other}"),
        }
    }
    assert!(refused + 2 >= places.len(), "{refused} of {}", places.len());
}

#[test]
fn a_changed_file_or_layer_is_refused_though_it_is_packed_well() {
    let fixture = Fixture::new();
    let manifest = fixture.manifest.to_bytes();
    for changed in 0..fixture.entries().len() {
        let mut entries = fixture.entries();
        entries[changed].1[0] ^= 1;
        let said = refusal(&compress(
            &archive(&manifest, &entries).into_inner().unwrap(),
        ));
        assert!(said.contains("is not what was saved"), "{said}");
        assert!(said.contains(&entries[changed].0), "{said}");
    }
}

#[test]
fn entries_that_are_missing_twice_further_or_in_another_order_are_refused() {
    let fixture = Fixture::new();
    let manifest = fixture.manifest.to_bytes();
    let said = |entries: &[(String, Vec<u8>)]| {
        refusal(&compress(
            &archive(&manifest, entries).into_inner().unwrap(),
        ))
    };
    let good = fixture.entries();
    for place in 0..good.len() {
        let mut missing = good.clone();
        missing.remove(place);
        assert!(said(&missing).contains(&good[place].0));
        let mut twice = good.clone();
        twice.insert(place, good[place].clone());
        said(&twice);
        let mut further = good.clone();
        further.insert(place, ("files/more".to_owned(), Vec::new()));
        assert!(said(&further).contains("files/more"));
    }
    let mut swapped = good.clone();
    swapped.swap(0, 1);
    said(&swapped);
    let mut more = good.clone();
    more.push(("../../etc/cron.d/x".to_owned(), b"x".to_vec()));
    assert!(said(&more).contains("does not name"));
}

#[test]
fn links_devices_and_extended_headers_are_no_files() {
    let fixture = Fixture::new();
    let manifest = fixture.manifest.to_bytes();
    for kind in [
        tar::EntryType::Symlink,
        tar::EntryType::Link,
        tar::EntryType::Fifo,
        tar::EntryType::Char,
        tar::EntryType::Directory,
        tar::EntryType::XHeader,
        tar::EntryType::GNUSparse,
        tar::EntryType::Continuous,
    ] {
        let mut made = tar::Builder::new(Vec::new());
        append(
            &mut made,
            tar::EntryType::Regular,
            "manifest.json",
            &manifest,
        );
        for (index, (path, content)) in fixture.entries().iter().enumerate() {
            let kind = if index == 0 {
                kind
            } else {
                tar::EntryType::Regular
            };
            append(&mut made, kind, path, content);
        }
        let said = refusal(&compress(&made.into_inner().unwrap()));
        assert!(said.contains("no plain file"), "{kind:?}: {said}");
    }
}

#[test]
fn what_follows_the_archive_or_the_stream_is_refused() {
    let fixture = Fixture::new();
    let mut bytes = fixture.bytes();
    bytes.push(0);
    assert!(refusal(&bytes).contains("something follows"));
    let mut two = fixture.bytes();
    two.extend(fixture.bytes());
    assert!(refusal(&two).contains("something follows"));
    let made = archive(&fixture.manifest.to_bytes(), &fixture.entries());
    let made = made.into_inner().unwrap();
    read_whole(&compress(&made)).unwrap();
    let mut more = made.clone();
    more.extend(b"hidden");
    assert!(refusal(&compress(&more)).contains("something follows"));
    let mut padded = made;
    padded.extend(vec![0; 1 << 20]);
    assert!(refusal(&compress(&padded)).contains("something follows"));
}

#[test]
fn what_would_unpack_to_more_than_it_says_is_not_unpacked() {
    let fixture = Fixture::new();
    let manifest = fixture.manifest.to_bytes();
    // A gigabyte of nothing is a few kilobytes here.
    let zeros = vec![0; 64 << 20];
    let mut entries = fixture.entries();
    entries[0].1.clone_from(&zeros);
    let said = refusal(&compress(
        &archive(&manifest, &entries).into_inner().unwrap(),
    ));
    assert!(said.contains("of 67108864 bytes"), "{said}");
    let said = refusal(&compress(&archive(&zeros, &[]).into_inner().unwrap()));
    assert!(said.contains("its manifest would have 67.1 MB"), "{said}");
    let mut long = tar::Builder::new(Vec::new());
    append(
        &mut long,
        tar::EntryType::Regular,
        "manifest.json",
        &manifest,
    );
    append(
        &mut long,
        tar::EntryType::GNULongName,
        "././@LongLink",
        &zeros,
    );
    append(&mut long, tar::EntryType::Regular, "files/x", b"");
    let said = refusal(&compress(&long.into_inner().unwrap()));
    assert!(said.contains("a name of 67.1 MB"), "{said}");
}

#[test]
fn files_for_which_there_is_no_room_are_refused_before_the_first_is_unpacked() {
    let mut bundle = open(&Fixture::new().bytes()).unwrap();
    bundle.manifest.files[0].size = 1 << 60;
    let said = Unpacked::from(bundle.into(), &CancellationToken::new()).unwrap_err();
    assert!(matches!(said, super::Error::Refused { .. }), "{said:?}");
    let said = said.to_string();
    assert!(said.contains("files needs 1.2 EB"), "{said}");
}

#[test]
fn files_of_more_than_any_event_has_are_refused_wherever_there_is_room() {
    let mut fixture = Fixture::new();
    let others = fixture.manifest.file_bytes() - fixture.manifest.files[0].size;
    for (more, taken) in [(0, true), (1, false)] {
        fixture.manifest.files[0].size = MAX_FILE_BYTES - others + more;
        fixture.add_up();
        let parsed = Manifest::parse(&fixture.manifest.to_bytes());
        assert_eq!(parsed.is_ok(), taken, "{parsed:?}");
        assert!(taken || parsed.unwrap_err().contains("4.3 GB is the most"));
    }
}

#[test]
fn other_files_are_no_bundles() {
    for (bytes, word) in [
        (b"".as_slice(), "empty"),
        (b"version: 1\nname: x\n", "no bundle"),
        (&[0x1f, 0x8b, 8, 0], "no bundle"),
        (&compress(b""), "nothing is in it"),
        (&compress(&[b'x'; 2000]), "damaged"),
        (
            &compress(&archive(b"{}", &[]).into_inner().unwrap()),
            "not a Seatbox bundle",
        ),
        (
            &compress(&archive(b"[", &[]).into_inner().unwrap()),
            "can't be read",
        ),
    ] {
        let said = refusal(bytes);
        assert!(said.contains(word), "{said}");
    }
    let version = br#"{"format": "seatbox-bundle", "version": 7, "more": true}"#;
    let newer = compress(&archive(version, &[]).into_inner().unwrap());
    let said = open(&newer).unwrap_err().to_string();
    assert!(
        said.contains("version 7") && said.contains("version 1"),
        "{said}"
    );
    let directory = tempfile::tempdir().unwrap();
    super::Bundle::open(directory.path()).unwrap_err();
}

#[test]
fn a_manifest_that_makes_no_sense_is_refused() {
    let refused = |what: &str, change: &dyn Fn(&mut Manifest)| {
        let mut fixture = Fixture::new();
        change(&mut fixture.manifest);
        fixture.add_up();
        let problem = Manifest::parse(&fixture.manifest.to_bytes());
        assert!(problem.is_err(), "{what}");
    };
    for path in [
        "../x",
        "/etc/passwd",
        "files/../../x",
        "files/./x",
        "files//x",
        "files/x/",
        "files",
        "",
        "blobs/x",
        "x",
        "files/a\0b",
        "files/..",
    ] {
        refused(path, &|m| m.files[3].path = path.to_owned());
        refused(path, &|m| m.links[0].path = path.to_owned());
        if path != "files" {
            refused(path, &|m| m.directories[1].path = path.to_owned());
        }
    }
    refused("a file twice", &|m| m.files.push(m.files[0].clone()));
    refused("a file below a link", &|m| {
        m.files[2].path = "files/events/labs/link/x".to_owned()
    });
    refused("a file below a file", &|m| {
        m.files[2].path = "files/stacks/s.yaml/x".to_owned()
    });
    refused("a link outside the workspace", &|m| {
        m.links[0].path = "files/link".to_owned()
    });
    refused("a link over a file", &|m| {
        m.links[0].path.clone_from(&m.files[2].path)
    });
    refused("a directory over a file", &|m| {
        m.directories[1].path.clone_from(&m.files[2].path)
    });
    refused("no environment file", &|m| {
        m.file = "files/other.yaml".to_owned()
    });
    refused("a directory twice", &|m| {
        m.directories.push(m.directories[1].clone())
    });
    refused("a directory that is setgid", &|m| {
        m.directories[1].mode = 0o2755
    });
    refused("no workspace", &|m| m.directories.clear());
    refused("setuid", &|m| m.files[0].mode = 0o4755);
    refused("no digest", &|m| m.files[0].sha256 = "0".repeat(63));
    refused("a blob twice", &|m| m.blobs.push(m.blobs[0].clone()));
    refused("a blob of nobody's", &|m| {
        m.blobs.push(super::manifest::Blob {
            sha256: "0".repeat(64),
            size: 1,
        });
    });
    refused("a blob that is a path", &|m| {
        m.blobs[0].sha256 = "../../../../x".to_owned()
    });
    refused("an image without a blob", &|m| {
        m.images[0].layers.push("0".repeat(64))
    });
    refused("an image without layers", &|m| m.images[0].layers.clear());
    refused("an image twice", &|m| m.images.push(m.images[0].clone()));
    refused("an image with no name", &|m| m.images[0].wanted.clear());
    refused("an image with a name to steer a terminal", &|m| {
        m.images[0].reference = "a\u{1b}[2J".to_owned();
    });
    let mut wrong_sum = Fixture::new().manifest;
    wrong_sum.bytes += 1;
    Manifest::parse(&wrong_sum.to_bytes()).unwrap_err();
    let mut huge = Fixture::new().manifest;
    huge.files[0].size = u64::MAX;
    Manifest::parse(&huge.to_bytes()).unwrap_err();
    let unknown = br#"{"format": "seatbox-bundle", "version": 1, "extra": 1}"#;
    Manifest::parse(unknown).unwrap_err();
    assert_eq!(manifest::VERSION, 1);
}
