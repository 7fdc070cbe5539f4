//! The event key on its way between machines.

use std::os::unix::fs::PermissionsExt as _;

use crate::support::desk::{Desk, Ran, run};

fn desk() -> Desk {
    let desk = Desk::new();
    desk.write("stack.yaml", "services: {a: {image: busybox}}\n");
    desk.write(
        "seatbox.yaml",
        "version: 1\nname: go-lab\nstack: stack.yaml\n",
    );
    desk
}

const KEY: &str = "state/seatbox/go-lab.key";

fn import(desk: &Desk, key: &str, more: &[&str]) -> Ran {
    let file = desk.write("input", key);
    let mut command = desk.without_engine();
    command
        .args(["key", "import"])
        .args(more)
        .stdin(std::fs::File::open(file).unwrap());
    run(&mut command)
}

/// A key that some machine made.
fn some_key() -> String {
    use secrecy::ExposeSecret as _;
    let key = seatbox::secret::EventKey::generate().unwrap();
    key.export().expose_secret().to_owned()
}

#[test]
fn an_exported_key_is_the_imported_one() {
    let desk = desk();
    let key = some_key();
    let fingerprint = import(&desk, &format!("{key}\n"), &[]).exits(0).stdout;
    let mode = std::fs::metadata(desk.path(KEY))
        .unwrap()
        .permissions()
        .mode();
    assert_eq!(mode & 0o777, 0o600);
    assert_eq!(desk.run(&["key", "export"]).exits(0).stdout.trim(), key);
    assert_eq!(
        desk.run(&["key", "fingerprint"]).exits(0).stdout,
        fingerprint
    );
    assert!(
        !key.contains(fingerprint.trim()),
        "the fingerprint is a piece of the key"
    );
    let other = self::desk();
    import(&other, &key, &[]).exits(0);
    assert_eq!(
        other.run(&["key", "fingerprint"]).exits(0).stdout,
        fingerprint
    );
}

#[test]
fn another_key_is_replaced_only_by_force() {
    let desk = desk();
    let (first, second) = (some_key(), some_key());
    import(&desk, &first, &[]).exits(0);
    import(&desk, &first, &[]).exits(0);
    let refused = import(&desk, &second, &[]);
    assert_eq!(refused.status.code(), Some(1), "{refused}");
    assert!(
        !refused.all().contains(&first) && !refused.all().contains(&second),
        "{refused}"
    );
    assert_eq!(desk.run(&["key", "export"]).stdout.trim(), first);
    import(&desk, &second, &["--force"]).exits(0);
    assert_eq!(desk.run(&["key", "export"]).stdout.trim(), second);
}

#[test]
fn a_missing_exposed_or_broken_key_is_an_error_with_a_remedy() {
    let desk = desk();
    desk.run(&["key", "export"]).exits(1).says(&["go-lab.key"]);
    desk.run(&["key", "fingerprint"]).exits(1);
    assert!(!desk.path("state").exists(), "a look at a key made one");
    import(&desk, "", &[]).exits(2);
    import(&desk, "hunter2", &[]).exits(1);
    import(&desk, &some_key(), &[]).exits(0);
    std::fs::set_permissions(desk.path(KEY), std::fs::Permissions::from_mode(0o644)).unwrap();
    desk.run(&["key", "export"]).exits(1).says(&["chmod 600"]);
}
