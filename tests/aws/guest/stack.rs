//! How far a stack is, as its containers tell.

use super::instance::Instance;
use crate::support::desk::{Ran, run};

const NOT_YET: i32 = 75;

/// An instance with a stack of three services, and a Docker that shows those containers.
pub fn instance(containers: &str) -> Instance {
    let instance = Instance::new();
    let stack = "root/var/lib/seatbox/stack";
    let expected = "running app\nrunning cache\ncompleted migrate\n";
    instance.desk.write(&format!("{stack}/expected"), expected);
    let script = format!(
        "case $1 in\n    compose) [ -z \"{containers}\" ] || echo 1 2 3 ;;\n    inspect) \
         printf '{}' ;;\nesac",
        containers.replace(", ", "\\n")
    );
    instance.command("docker", &script);
    instance
}

fn ready(containers: &str) -> Ran {
    run(instance(containers).script("stack").arg("ready"))
}

#[test]
fn a_stack_is_ready_when_all_services_are_as_they_should_be() {
    ready("app running 0 none, cache running 0 healthy, migrate exited 0 none").exits(0);
}

#[test]
fn services_on_their_way_are_waited_for_and_named() {
    for (containers, words) in [
        ("", "app is missing, cache is missing, migrate is missing"),
        (
            "app created 0 none, cache running 0 starting, migrate running 0 none",
            "app is created, cache is starting, migrate is running",
        ),
        (
            "app restarting 1 none, cache running 0 unhealthy, migrate exited 0 none",
            "app is restarting, cache is unhealthy",
        ),
    ] {
        let ran = ready(containers).exits(NOT_YET);
        assert_eq!(ran.stderr.trim(), words);
    }
}

#[test]
fn services_that_ended_are_not_waited_for() {
    for (containers, words) in [
        (
            "app exited 0 none, cache running 0 starting, migrate exited 0 none",
            "app is exited 0",
        ),
        (
            "app running 0 none, cache running 0 healthy, migrate exited 3 none",
            "migrate is exited 3",
        ),
        (
            "app paused 0 none, cache dead 1 none, migrate exited 0 none",
            "app is paused 0, cache is dead 1",
        ),
    ] {
        let ran = ready(containers).exits(1);
        assert_eq!(ran.stderr.trim(), words);
    }
}

#[test]
fn an_instance_without_a_stack_waits_for_one_and_has_nothing_to_take_down() {
    let instance = Instance::new();
    let ask = |verb| run(instance.script("stack").arg(verb));
    ask("ready").exits(NOT_YET).says(&["no stack has come yet"]);
    ask("up").exits(NOT_YET);
    ask("down").exits(0);
    ask("nonsense").exits(2).says(&["seatbox-stack up"]);
}

#[test]
fn what_is_being_installed_is_told() {
    let instance = Instance::new();
    let ask = || run(instance.script("stack").arg("installed"));
    let state = "root/var/lib/seatbox";
    ask().exits(NOT_YET).says(&["waiting"]);
    instance
        .desk
        .write(&format!("{state}/installing"), "installing Docker\n");
    instance
        .desk
        .write(&format!("{state}/trouble"), "no route to host\n");
    let ran = ask().exits(NOT_YET);
    assert_eq!(
        ran.stderr,
        "installing Docker (last time: no route to host)\n"
    );
    instance.desk.write(&format!("{state}/installed"), "");
    ask().exits(0);
}
