//! What `extend` refuses before it asks any engine.

use crate::support::desk::Desk;

#[test]
fn an_end_that_makes_no_sense_is_refused_before_the_engine_is_asked() {
    let desk = Desk::new();
    desk.run(&["init", "."]).exits(2);
    desk.run(&["init", ".", "--name", "go-workshop"]).exits(0);
    for (arguments, hint) in [
        (&[][..], "--by"),
        (&["--by", "2h", "--until", "2026-12-01T18:00"], "--until"),
        (&["--by", "0s"], "--by 2h"),
        (&["--by=-2h"], "--by 2h"),
        (&["--by", "soon"], "--by 2h"),
        (&["--until", "2026-12-01"], "--until 2026-12-01T18:00"),
        (&["--until", "2027-02-29T12:00"], "--until 2026-12-01T18:00"),
        (&["--only", "go", "--until", "2026-12-01T18:00"], "+08:00"),
        (&["--only", "No Name", "--by", "2h"], "--only"),
    ] {
        let all = [&["extend"], arguments].concat();
        desk.run(&all).exits(2).says(&[hint]);
    }
    // All that is wrong with these is that there is no engine.
    desk.run(&["extend", "--by", "2h"]).exits(4);
    desk.run(&["extend", "--until", "2099-12-01T18:00"])
        .exits(4);
    desk.run(&[
        "extend",
        "--only",
        "go",
        "--until",
        "2099-12-01T18:00+08:00",
    ])
    .exits(4);
    assert!(!desk.path("state").exists(), "a key was made");
}
