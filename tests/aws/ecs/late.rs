//! What is new is not seen everywhere at once.

use std::time::Duration;

use super::lab::lab;

#[test]
fn what_is_not_seen_yet_is_waited_for_and_not_made_again() {
    let lab = lab("tasks-late", 3);
    lab.proxy
        .set(|settings| settings.visibility.hides_for = Duration::from_secs(3));
    lab.up();
    lab.assert_ids(3);
    assert_eq!(lab.ever(), 3);
    lab.json(&["reset", "--seats", "2", "--workspace"]);
    lab.assert_ids(3);
    assert_eq!(lab.ever(), 4);
    lab.down();
}

#[test]
fn what_half_of_the_looks_miss_is_made_once_and_goes_in_the_end() {
    let lab = lab("tasks-blinking", 3);
    lab.proxy.set(|settings| {
        settings.visibility.hides_for = Duration::from_secs(3);
        settings.visibility.percent = 50.0;
    });
    lab.up();
    lab.assert_ids(3);
    assert_eq!(lab.ever(), 3);
    lab.down();
}
