//! An event in one file, brought up on an engine that has no images and no network.

use std::collections::BTreeMap;
use std::io::{BufRead as _, BufReader, Read as _};
use std::os::unix::fs::PermissionsExt as _;
use std::process::{Command, Stdio};

use bollard::Docker;
use bollard::query_parameters::{
    CreateImageOptions, ListImagesOptions, RemoveImageOptions, TagImageOptions,
};
use futures_util::TryStreamExt as _;

use super::event::{Event, SMALL, results};
use super::private_engine::PrivateEngine;
use crate::support::desk::run;
use crate::support::schema::assert_output;

const SEATS: u32 = 23;
/// The image of [`SMALL`]'s services, as containers run it.
const REDIS: &str = "seatbox.local/redis:7";

/// The engine's images: the id of each name.
pub async fn images(docker: &Docker) -> BTreeMap<String, String> {
    let images = docker.list_images(None::<ListImagesOptions>).await.unwrap();
    images
        .into_iter()
        .flat_map(|image| {
            let id = image.id;
            image
                .repo_tags
                .into_iter()
                .map(move |tag| (tag, id.clone()))
        })
        .collect()
}

/// Everything in a bundle, unpacked, as bytes.
fn unpacked(path: &std::path::Path) -> Vec<u8> {
    let mut bytes = Vec::new();
    zstd::Decoder::new(std::fs::File::open(path).unwrap())
        .unwrap()
        .read_to_end(&mut bytes)
        .unwrap();
    bytes
}

#[tokio::test]
async fn a_bundle_for_23_seats_brings_them_up_without_images_and_without_a_network() {
    let event = Event::shipped("bundle", SEATS).await;
    let (path, saved) = event.save("event.seatbox");
    assert_eq!(saved["bundle"]["images"].as_array().unwrap().len(), 3);
    let digest = saved["bundle"]["digest"].as_str().unwrap().to_owned();

    let private = PrivateEngine::start().await;
    assert!(images(&private.docker()).await.is_empty());
    let event = event.in_bundle(path.clone()).on(&private);
    let mut command = event.command(&["up", "--bundle"]);
    command.arg(&path).args(["--output", "json"]);
    let ran = run(&mut command).exits(0).says(&[&digest]);
    let report = ran.json();
    assert_output(&report, "UpReport");
    assert_eq!(report["seats"].as_array().unwrap().len(), SEATS as usize);
    assert_eq!(results(&report), ["done"]);
    let mut there = images(&private.docker()).await;
    there.retain(|name, _| !name.starts_with("seatbox.local/snapshot:"));
    assert_eq!(there.len(), 3, "{there:?}");

    // Every other verb takes the bundle where it takes an environment file.
    event.says(7, "workspace", "go version && [ -x 01-hello/verify.sh ]");
    event.says(7, "workspace", "psql -w -c 'create table mine (n int)'");
    event.run(&["reset", "--seat", "7"]).exits(0);
    let gone = event.says(7, "workspace", "psql -w -c '\\dt' 2>&1");
    assert!(!gone.contains("mine"), "{gone}");
    let again = event.up();
    assert_eq!(results(&again), ["unchanged"]);
    event.down().await;
}

#[tokio::test]
async fn a_bundle_holds_all_that_the_environment_names_and_not_the_key() {
    let stack = SMALL
        .replace(
            "services:",
            "configs: {motd: {file: ../shared/motd}}\nservices:",
        )
        .replace(
            "    volumes: [\"work:/work\"]",
            "    env_file: [stack.env]\n    configs: [motd]\n    volumes: [\"work:/work\"]",
        );
    let event = Event::new("holds", 1, &stack).await;
    let desk = &event.desk;
    desk.write("stack.env", "FROM_FILE=${GREETING}\n");
    desk.write(".env", "GREETING=hello\n");
    // The stack lies in a directory of its own, and what it names beside that.
    for name in ["stack.yaml", "stack.env", ".env"] {
        let text = std::fs::read_to_string(desk.path(name)).unwrap();
        desk.write(&format!("stacks/{name}"), text);
        std::fs::remove_file(desk.path(name)).unwrap();
    }
    desk.write("shared/motd", "good morning\n");
    // The workspace is a repository that the other machine does not reach.
    let repository = desk.path("labs");
    desk.write("labs/one/verify.sh", "#!/bin/sh\nexit 1\n");
    let git = |arguments: &[&str]| {
        let mut git = Command::new("git");
        git.args(["-c", "user.name=t", "-c", "user.email=t@t.example"])
            .args(arguments)
            .current_dir(&repository);
        run(&mut git).exits(0)
    };
    let executable = std::fs::Permissions::from_mode(0o755);
    std::fs::set_permissions(repository.join("one/verify.sh"), executable).unwrap();
    std::os::unix::fs::symlink("one/verify.sh", repository.join("verify")).unwrap();
    git(&["init", "--quiet"]);
    git(&["add", "."]);
    git(&["commit", "--quiet", "-m", "labs"]);
    desk.write(
        "events/seatbox.yaml",
        format!(
            "version: 1\nname: {}\nstack: ../stacks/stack.yaml\nworkspace: {{files: {{git: 'file://{}'}}}}\n\
             docker:\n  subnets: {}\n  ports: {{first: {}, per_seat: 4}}\n",
            event.name,
            repository.display(),
            event.block.subnet,
            event.block.port
        ),
    );
    let event = event.in_file("events/seatbox.yaml");
    let (path, saved) = event.save("all.seatbox");
    assert_eq!(saved["bundle"]["files"], 6, "{saved:#}");
    std::fs::remove_dir_all(event.desk.path("labs")).unwrap();
    std::fs::remove_dir_all(event.desk.path("stacks")).unwrap();
    std::fs::remove_dir_all(event.desk.path("events")).unwrap();

    let event = event.in_bundle(path.clone());
    event.up();
    assert_eq!(event.says(1, "work", "echo $FROM_FILE"), "hello");
    assert_eq!(event.says(1, "work", "cat /motd"), "good morning");
    event.sh(1, "work", "/work/verify").exits(1);

    let key = event.run(&["key", "export"]).exits(0).stdout;
    let content = unpacked(&path);
    let key = key.trim().as_bytes();
    assert!(!content.windows(key.len()).any(|window| window == key));
    let mode = path.metadata().unwrap().permissions().mode();
    assert_eq!(mode & 0o077, 0, "others can read what may be secret");
    event.down().await;
}

#[tokio::test]
async fn a_name_that_another_image_has_stays_with_it_and_what_is_there_is_not_sent() {
    let event = Event::new("names", 1, SMALL).await;
    let (path, _) = event.save("names.seatbox");
    let bundle = path.to_str().unwrap();
    let private = PrivateEngine::start().await;
    let docker = private.docker();
    let event = event.in_bundle(path.clone()).on(&private);
    let load = || {
        let mut command = event.desk.seatbox();
        command.env("DOCKER_HOST", private.host());
        let report = run(command.args(["images", "load", bundle, "--output", "json"]));
        let report = report.exits(0).json();
        assert_output(&report, "LoadReport");
        report
    };
    let report = load();
    assert_eq!(report["images"][0]["outcome"], "loaded");
    assert!(report["sent"].as_u64().unwrap() > 10_000_000);
    let id = report["images"][0]["id"].as_str().unwrap().to_owned();
    assert_eq!(
        images(&docker).await,
        BTreeMap::from([(REDIS.to_owned(), id.clone())])
    );
    let report = load();
    assert_eq!(report["images"][0]["outcome"], "present");
    assert_eq!(report["sent"], 0);

    // The name goes; the image stays under another one.
    let tag = async |image: &str, repo: &str, tag: &str| {
        let options = TagImageOptions {
            repo: Some(repo.to_owned()),
            tag: Some(tag.to_owned()),
        };
        docker.tag_image(image, Some(options)).await.unwrap();
    };
    tag(&id, "mine", "1").await;
    docker
        .remove_image(REDIS, None::<RemoveImageOptions>, None)
        .await
        .unwrap();
    let report = load();
    assert_eq!(report["images"][0]["outcome"], "named");
    assert_eq!(report["sent"], 0);

    // Another image takes the name.
    let (repo, version) = REDIS.rsplit_once(':').unwrap();
    let options = CreateImageOptions {
        from_src: Some("-".to_owned()),
        repo: Some(repo.to_owned()),
        tag: Some(version.to_owned()),
        ..CreateImageOptions::default()
    };
    let empty = tar::Builder::new(Vec::new()).into_inner().unwrap();
    let made = docker.create_image(Some(options), Some(bollard::body_full(empty.into())), None);
    made.try_collect::<Vec<_>>().await.unwrap();
    let theirs = images(&docker).await[REDIS].clone();
    assert_ne!(theirs, id);
    event
        .run(&["up", "--bundle", bundle])
        .exits(0)
        .says(&["is another image on this engine", "seatbox reset"]);
    assert_eq!(
        images(&docker).await[REDIS],
        theirs,
        "their image lost its name"
    );
    let container = event.inspect(&event.container(1, "redis")).await;
    assert_eq!(container.image.unwrap(), id);
    assert_eq!(results(&event.up()), ["unchanged"]);
    event.run(&["reset", "--seat", "1"]).exits(0);
    event.down().await;
}

#[tokio::test]
async fn a_bundle_is_opened_once_and_what_was_checked_is_what_is_brought_up() {
    let event = Event::new("once", 1, SMALL).await;
    let (path, saved) = event.save("once.seatbox");
    let digest = saved["bundle"]["digest"].as_str().unwrap().to_owned();
    let mut up = event
        .command(&["up", "--log-format", "json", "--bundle"])
        .arg(&path)
        .env_remove("SEATBOX_ENVIRONMENT")
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(up.stderr.take().unwrap()).lines();
    let told = lines.find(|line| line.as_ref().unwrap().contains(&digest));
    assert!(told.is_some());
    // Somebody puts another one there, while it is being checked.
    std::fs::remove_file(&path).unwrap();
    event.desk.write("once.seatbox", "no bundle");
    let rest: Vec<String> = lines.map_while(Result::ok).collect();
    assert!(up.wait().unwrap().success(), "{rest:#?}");
    assert_eq!(results(&event.up()), ["unchanged"]);
    event.down().await;
}

#[tokio::test]
async fn without_its_images_a_bundle_is_planned_and_a_reset_says_what_to_do() {
    let event = Event::new("planned", 1, SMALL).await;
    let (path, _) = event.save("planned.seatbox");
    let private = PrivateEngine::start().await;
    let event = event.in_bundle(path.clone()).on(&private);
    let mut command = event.command(&["up", "--dry-run", "--bundle"]);
    run(command.arg(&path)).exits(0).says(&["image", REDIS]);
    let report = event.run(&["images", "--output", "json"]).exits(0).json();
    assert_output(&report, "ImagesReport");
    assert_eq!(report["images"][0]["from"], "bundle");
    assert!(images(&private.docker()).await.is_empty());
    event
        .run(&["reset", "--seat", "1"])
        .exits(3)
        .says(&["seatbox images load"]);
    event.run(&["images", "--fetch"]).exits(0);
    event.run(&["reset", "--seat", "1"]).exits(0);
    event.down().await;
}
