//! The end of a seat that nobody takes away.

use super::imds::Imds;
use super::instance::Instance;
use crate::support::desk::{Ran, run};

const TAG: &str = "tags/instance/dev.seatbox.expires";
const LAST: &str = "var/lib/seatbox/expires";
const PAST: &str = "2020-01-01T00:00:00Z";
const FUTURE: &str = "2099-12-31T23:59:59Z";

fn look(instance: &Instance, imds: Option<&Imds>) -> Ran {
    let mut command = instance.script("deadline");
    if let Some(imds) = imds {
        command.env("SEATBOX_IMDS", &imds.url);
    }
    run(&mut command)
}

fn ended(instance: &Instance) -> bool {
    instance.calls().contains("shutdown -h now")
}

#[test]
fn a_seat_ends_when_its_tag_says_so_and_an_extension_is_heard_of() {
    let (instance, imds) = (Instance::new(), Imds::start());
    imds.say(TAG, FUTURE);
    instance.desk.write(&format!("root/{LAST}"), PAST);
    look(&instance, Some(&imds)).exits(0);
    assert!(!ended(&instance), "it was extended");
    assert_eq!(instance.read(LAST), format!("{FUTURE}\n"));

    imds.say(TAG, PAST);
    look(&instance, Some(&imds)).exits(0);
    assert!(ended(&instance));
}

#[test]
fn while_the_metadata_service_says_nothing_what_it_last_said_counts() {
    let instance = Instance::new();
    instance.desk.write(&format!("root/{LAST}"), FUTURE);
    look(&instance, None).exits(0);
    assert!(!ended(&instance));

    let (instance, imds) = (Instance::new(), Imds::start());
    instance.desk.write(&format!("root/{LAST}"), PAST);
    imds.say(TAG, FUTURE);
    imds.fail(1);
    look(&instance, Some(&imds)).exits(0);
    assert!(ended(&instance));
}

#[test]
fn what_is_no_time_ends_no_seat() {
    for words in [
        "",
        "soon",
        "yesterday",
        "2020",
        "2020-01-01T99:00:00Z",
        "@0",
    ] {
        let (instance, imds) = (Instance::new(), Imds::start());
        imds.say(TAG, words);
        look(&instance, Some(&imds))
            .exits(1)
            .says(&["nobody says when this seat ends"]);
        assert!(!ended(&instance), "{words}");

        instance.desk.write(&format!("root/{LAST}"), FUTURE);
        look(&instance, Some(&imds)).exits(0);
        assert!(!ended(&instance), "{words}");
        assert_eq!(instance.read(LAST), FUTURE, "{words}");
    }
}
