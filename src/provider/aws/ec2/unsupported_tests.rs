//! What EC2 can't do.

use std::path::PathBuf;

use super::unsupported::unsupported;
use crate::model::environment::ImageSource;
use crate::model::{BundledImage, Environment};
use crate::provider::aws::ecs::fixture::environment;

#[test]
fn what_runs_on_an_engine_runs_in_an_instance() {
    let environment = environment(
        "
services:
  a:
    image: a
    security_opt: [no-new-privileges]
    tmpfs: /run
    networks: [n, m]
    volumes: ['v:/v']
    configs: [c]
    shm_size: 1g
networks: {n: , m: {internal: true}}
volumes: {v: }
configs: {c: {content: text}}
",
    );
    assert_eq!(unsupported(&environment), []);
}

#[test]
fn this_machines_files_and_images_are_not_there() {
    let mut environment = environment(
        "
services:
  a:
    image: seatbox.local/a:1
    volumes: ['v:/v']
volumes: {v: }
",
    );
    let service = &mut environment.stack.services[0];
    service.mounts[0].source = crate::model::stack::MountSource::Bind {
        path: PathBuf::from("/srv/material"),
        create: false,
    };
    environment.images.sources = vec![ImageSource::Recipe];
    environment.images.mirrors = vec!["m.example".to_owned(), "m.example:5000/hub".to_owned()];
    let lines = |environment: &Environment| -> Vec<String> {
        unsupported(environment)
            .iter()
            .map(|one| one.what.clone())
            .collect()
    };
    assert_eq!(
        lines(&environment),
        [
            "images come from recipes alone",
            "its image `seatbox.local/a:1` is a stand-in, which no registry has",
            "`images.mirrors` has m.example:5000/hub",
            "it mounts /srv/material of this machine",
        ]
    );
    environment.images.bundled = vec![BundledImage {
        wanted: "a".to_owned(),
        reference: "a".to_owned(),
        id: "sha256:1".to_owned(),
    }];
    assert_eq!(lines(&environment)[0], "its images are in a bundle");
}
