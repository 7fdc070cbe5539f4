//! What is accepted of a whole file, and what it means.

use super::fixture::{Setup, strings, with_attributes};
use crate::model::stack::FileContent;

#[test]
fn files_beside_the_stack_are_read() {
    let dir = tempfile::tempdir().expect("a directory");
    let write = |name: &str, text: &str| {
        std::fs::write(dir.path().join(name), text).expect("written");
    };
    write(".env", "TAG=7\nURL=x-${SEATBOX_SECRET_A}\n");
    write("a.env", "A=1\nB=$TAG\nSET\n");
    write("b.env", "B='$x'\n");
    write("c.conf", "$raw\n");
    write(
        "stack.yaml",
        "services:\n  s:\n    image: r:$TAG\n    environment: {A: mine, U: $URL}\n    \
         env_file: [a.env, {path: b.env, format: raw}, {path: no.env, required: false}]\n    \
         configs: [c]\nconfigs: {c: {file: ./c.conf}}\n",
    );
    let stack = Setup::default()
        .file(&dir.path().join("stack.yaml"))
        .expect("it is right");
    let s = &stack.services[0];
    assert_eq!(s.image, "r:7");
    let environment: Vec<_> = s
        .environment
        .iter()
        .map(|(k, v)| (k.as_str(), v.to_compose()))
        .collect();
    let expected = [
        ("A", "mine"),
        ("B", "'$$x'"),
        ("SET", "set"),
        ("U", "x-${SEATBOX_SECRET_A}"),
    ];
    assert_eq!(environment, expected.map(|(k, v)| (k, v.to_owned())));
    assert_eq!(s.files[0].content, FileContent::Bytes(b"$raw\n".to_vec()));
}

#[test]
fn profiles_select_services_and_what_is_unused_is_left_out() {
    let text = "name: x\nversion: '3.8'\nx-a: &a {image: i}\nservices:\n  a: {<<: *a, networks: [n]}\n  \
                b: {<<: *a, profiles: [extra], volumes: ['v:/v']}\n  x-c: *a\nnetworks: {n: , unused: }\nvolumes: {v: }\n";
    let names = |profiles: &[&str]| {
        let setup = Setup {
            profiles: strings(profiles),
            ..Setup::default()
        };
        let stack = setup.text(text).expect("it is right");
        (
            stack
                .services
                .keys()
                .map(ToString::to_string)
                .collect::<Vec<_>>(),
            stack.volumes.len(),
            stack.networks.keys().cloned().collect::<Vec<_>>(),
        )
    };
    let networks = strings(&["n", "default"]);
    assert_eq!(names(&[]), (strings(&["a", "x-c"]), 0, networks.clone()));
    assert_eq!(
        names(&["extra"]),
        (strings(&["a", "b", "x-c"]), 1, networks.clone())
    );
    assert_eq!(names(&["*"]), (strings(&["a", "b", "x-c"]), 1, networks));
}

#[test]
fn without_internet_networks_are_internal_and_nothing_is_published() {
    let mut setup = Setup::default();
    setup.isolation.internet = false;
    let stack = setup
        .text(&with_attributes("ports: [80]\nnetworks: [n, default]"))
        .expect("right");
    assert!(stack.networks.values().all(|network| network.internal));
    assert!(stack.services[0].ports.is_empty());
}

#[test]
fn the_environment_file_opens_what_is_closed() {
    let mut setup = Setup::default();
    setup.isolation.capabilities = strings(&["cap_sys_ptrace"]);
    setup.isolation.security_opt = strings(&["seccomp=unconfined"]);
    setup.isolation.new_privileges = true;
    let text =
        "cap_add: [SYS_PTRACE]\nsecurity_opt: ['seccomp:unconfined', 'no-new-privileges:false']";
    let stack = setup.text(&with_attributes(text)).expect("all is open");
    assert_eq!(stack.services[0].cap_add, ["SYS_PTRACE"]);
    assert_eq!(stack.services[0].security_opt.len(), 2);
}

#[test]
fn a_service_can_be_the_workspace() {
    let stack = Setup::default()
        .text(&with_attributes(
            "x-seatbox: {workspace: /w/x, shell: bash -l}\nvolumes: ['v:/w']",
        ))
        .expect("right");
    let (s, path) = stack.workspace().expect("there is one");
    assert_eq!((s.name.as_str(), path), ("s", "/w/x"));
    assert_eq!(stack.workspace_volume(), Some("v"));
    assert_eq!(s.seatbox.shell, Some(strings(&["bash", "-l"])));
}
