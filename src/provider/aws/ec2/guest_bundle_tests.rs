use std::collections::BTreeMap;
use std::io::Read as _;

use jiff::Timestamp;
use serde_json::Value;

use super::*;
use crate::environment::{Overrides, load};
use crate::model::SeatVariable;
use crate::provider::files::WORKSPACE_MARKER;

struct Values;

impl SeatValues for Values {
    fn value(&self, variable: &SeatVariable) -> String {
        format!("value-of-{}", variable.name())
    }
}

/// An environment of one seat with that stack, and with one file in its workspace.
fn environment(stack: &str) -> (tempfile::TempDir, Environment) {
    let directory = tempfile::tempdir().unwrap();
    let write = |name: &str, text: &str| std::fs::write(directory.path().join(name), text).unwrap();
    std::fs::create_dir(directory.path().join("first")).unwrap();
    write("first/hello.go", "package main\n");
    write("ca.pem", "certificate");
    write("stack.yaml", stack);
    write(
        "lab.yaml",
        "version: 1\nname: lab\nseats: {count: 1}\nlifetime: 1h\nstack: stack.yaml\n\
         workspace: {files: first}\n",
    );
    let file = directory.path().join("lab.yaml");
    let loaded = load(&file, &Overrides::new([], Timestamp::UNIX_EPOCH));
    let environment = loaded.unwrap_or_else(|problems| panic!("{problems:?}"));
    (directory, environment.environment)
}

/// What is in an archive, by path, with mode and owner.
fn unpack(pieces: &[Bytes]) -> BTreeMap<String, (u32, u64, Vec<u8>)> {
    let bytes = pieces.concat();
    let mut archive = tar::Archive::new(bytes.as_slice());
    let entries = archive.entries().unwrap().map(|entry| {
        let mut entry = entry.unwrap();
        let path = entry.path().unwrap().display().to_string();
        let (mode, user) = (
            entry.header().mode().unwrap(),
            entry.header().uid().unwrap(),
        );
        let mut content = Vec::new();
        entry.read_to_end(&mut content).unwrap();
        (path, (mode, user, content))
    });
    entries.collect()
}

const STACK: &str = "
services:
  app:
    image: app:1
    user: '1000:1000'
    volumes: ['data:/data']
    ports: ['8080', '22']
    configs: [{source: ca, target: /etc/ca.pem, uid: '1000', mode: 0400}, token]
    depends_on:
      migrate: {condition: service_completed_successfully}
    environment: {TOKEN: '${SEATBOX_SECRET_TOKEN}'}
    x-seatbox: {workspace: /data/work}
  migrate:
    image: app:1
    ports: ['8080']
volumes:
  data:
configs:
  ca: {file: ./ca.pem}
  token: {content: 'it is ${SEATBOX_SECRET_TOKEN}'}
";

#[tokio::test]
async fn a_bundle_has_all_that_a_seat_needs_and_its_secrets_in_no_compose_file() {
    let (_directory, environment) = environment(STACK);
    let source = WorkspaceSource::default();
    let bundle = guest_bundle(&environment, SeatNumber::FIRST, &Values, &source)
        .await
        .unwrap();
    let files = unpack(bundle.pieces());
    let text = |path: &str| String::from_utf8(files[path].2.clone()).unwrap();
    let names: Vec<&str> = files.keys().map(String::as_str).collect();
    assert_eq!(
        names,
        [
            ".env",
            "complete",
            "compose.override.yaml",
            "compose.yaml",
            "expected",
            "files/app-1",
            "files/app-2",
            "workspace.path",
            "workspace.tar"
        ]
    );
    assert!(text(".env").contains("SEATBOX_SECRET_TOKEN=value-of-SEATBOX_SECRET_TOKEN"));
    assert_eq!(files[".env"].0, 0o600);
    assert!(!text("compose.yaml").contains("value-of"));
    assert_eq!(text("expected"), "running app\ncompleted migrate\n");
    assert_eq!(text("workspace.path"), "work");
    assert_eq!(files["files/app-1"], (0o400, 1000, b"certificate".to_vec()));

    assert_eq!(text("files/app-2"), "it is value-of-SEATBOX_SECRET_TOKEN");

    let overrides: Value = serde_json::from_str(&text("compose.override.yaml")).unwrap();
    let options = &overrides["volumes"]["data"]["driver_opts"];
    assert_eq!(options["device"], "${SEATBOX_STATE}/workspace");

    let first = unpack(&[files["workspace.tar"].2.clone().into()]);
    assert_eq!(first["hello.go"].2, b"package main\n");
    assert_eq!(first["hello.go"].1, 1000);
    assert!(first.contains_key(WORKSPACE_MARKER));
    assert_eq!(format!("{bundle:?}").find("value-of"), None);
}

#[test]
fn ports_keep_their_numbers_where_they_are_free() {
    let (_directory, environment) = environment(STACK);
    let ports = published(&environment.stack);
    let hosts: Vec<(&str, u16, u16)> = ports
        .iter()
        .map(|port| (port.service.as_str(), port.target.number, port.host))
        .collect();
    assert_eq!(
        hosts,
        [
            ("app", 8080, 8080),
            ("app", 22, 10_022),
            ("migrate", 8080, 18_080)
        ]
    );
}

#[test]
fn a_stack_without_a_workspace_overrides_nothing() {
    let (_directory, environment) = environment("services: {app: {image: 'app:1'}}\n");
    let (overrides, inside) = overrides(&environment.stack);
    assert_eq!(
        (overrides.as_str(), inside.as_str()),
        ("{\n  \"services\": {}\n}\n", "")
    );
}
