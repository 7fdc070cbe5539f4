//! Whole environment files, good and bad.

use std::path::{Path, PathBuf};

use jiff::Timestamp;

use super::{Loaded, Overrides, load, schema, settings};
use crate::diagnostic::Diagnostics;
use crate::model::environment::{Lifetime, WorkspaceFiles};

/// A directory with one environment file, a stack and a workspace.
pub(super) struct Fixture {
    dir: tempfile::TempDir,
    overrides: Overrides,
}

impl Fixture {
    pub(super) fn new() -> Self {
        let dir = tempfile::tempdir().unwrap();
        std::fs::write(
            dir.path().join("stack.yaml"),
            "services:\n  a: {image: busybox}\n  b: {image: busybox, profiles: [debug]}\n",
        )
        .unwrap();
        std::fs::create_dir(dir.path().join("files")).unwrap();
        Self {
            dir,
            overrides: Overrides::new([], "2026-06-01T00:00:00Z".parse::<Timestamp>().unwrap()),
        }
    }

    fn variable(mut self, name: &str, value: &str) -> Self {
        self.overrides
            .variables
            .push((name.to_owned(), value.to_owned()));
        self
    }

    fn set(mut self, setting: &str) -> Self {
        self.overrides.set.push(setting.to_owned());
        self
    }

    fn file(&self) -> PathBuf {
        self.dir.path().join("e.yaml")
    }

    fn load(&self, text: &str) -> Result<Loaded, Diagnostics> {
        std::fs::write(self.file(), text).unwrap();
        load(&self.file(), &self.overrides)
    }

    /// The smallest file, with more lines.
    pub(super) fn with(&self, more: &str) -> Result<Loaded, Diagnostics> {
        self.load(&format!(
            "version: 1\nname: demo\nstack: stack.yaml\n{more}"
        ))
    }

    /// The problems of the smallest file with more lines, as `path: message (hint)`.
    pub(super) fn problems(&self, more: &str) -> Vec<String> {
        shown(&self.with(more).unwrap_err(), self.dir.path())
    }
}

fn shown(problems: &Diagnostics, dir: &Path) -> Vec<String> {
    let dir = format!("{}/", dir.display());
    problems
        .iter()
        .map(|problem| problem.to_string().replace(&dir, ""))
        .collect()
}

fn repository(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(path)
}

#[test]
fn the_smallest_file_has_the_defaults() {
    let environment = Fixture::new().with("").unwrap().environment;
    assert_eq!(environment.event.title, "demo");
    assert_eq!(environment.seats.total(), 1);
    assert_eq!(environment.limits.memory, 512 * 1024 * 1024);
    assert_eq!(environment.limits.nano_cpus, 1_000_000_000);
    assert_eq!(environment.docker.subnets.to_string(), "10.213.0.0/16");
    assert_eq!(environment.workspace.files, None);
    assert!(environment.isolation.internet && !environment.isolation.new_privileges);
}

#[test]
fn many_mistakes_are_reported_in_one_run_each_with_its_line() {
    let fixture = Fixture::new();
    let text = "version: 1\nname: My Event\nevent:\n  starts: 2024-10-19T17:30\n  ends: 2024-10-19T09:00\n  \
                time_zone: Asia/Guangzhou\nseats:\n  cuont: 23\n  group_size: twelve\nlifetime: 100d\n\
                stack: missing.yaml\nlimits: {memory: 4m}\nprovider: dokcer\nworkspace: {files: nowhere}\n\
                docker:\n  subnet_prefix: 30\n  ports: {first: 80}\n";
    let problems = shown(&fixture.load(text).unwrap_err(), fixture.dir.path());
    assert_eq!(
        problems,
        [
            "e.yaml:2:7: `My Event` is not a DNS label: only a-z, 0-9 and hyphens may be in it (write for example `name: my-event`)",
            "e.yaml:5:9: the event ends before it begins",
            "e.yaml:6:14: there is no time zone of that name (use an IANA name, such as Asia/Shanghai or Europe/Berlin)",
            "e.yaml:8:3: there is no field `cuont` here (did you mean `count`?)",
            "e.yaml:9:15: expected a whole number from 0 to 4294967295, found text",
            "e.yaml:10:11: the seats would live too long (at most 90 days)",
            "e.yaml:11:8: `missing.yaml`: there is no such file (the path is relative to the environment file)",
            "e.yaml:12:18: no service can have that amount of memory (an engine needs 6 MiB at least)",
            "e.yaml:13:11: `dokcer` is not a value that is known here (did you mean `docker`?)",
            "e.yaml:14:20: there is no directory `nowhere` (the path is relative to the environment file)",
            "e.yaml:16:18: a network of that size is not possible here (from 16 (the whole range) to 29 (5 services))",
            "e.yaml:17:18: ports below 1024 are the system's (20000 is a good begin)",
        ]
    );
}

#[test]
fn what_must_be_there_is_asked_for() {
    let fixture = Fixture::new();
    let problems = shown(
        &fixture.load("seats: {count: 2}\n").unwrap_err(),
        fixture.dir.path(),
    );
    let missing: Vec<&str> = problems
        .iter()
        .map(|line| line.split(" (").next().unwrap())
        .collect();
    assert_eq!(
        missing,
        [
            "e.yaml:1:1: `version` is missing",
            "e.yaml:1:1: `name` is missing",
            "e.yaml:1:1: `stack` is missing",
        ]
    );
}

#[test]
fn a_megabyte_of_unknown_keys_has_a_bounded_number_of_complaints() {
    let keys: String = (0..50_000).map(|n| format!("key{n}: value{n}\n")).collect();
    assert_eq!(Fixture::new().problems(&keys).len(), 100);
}

#[test]
fn an_unknown_version_is_the_only_complaint() {
    let fixture = Fixture::new();
    let problems = fixture.load("version: 2\nwhatever: 1\n").unwrap_err();
    assert_eq!(
        shown(&problems, fixture.dir.path()),
        ["e.yaml:1:10: this version of the format is not known (this seatbox reads `version: 1`)"]
    );
}

#[test]
fn a_file_that_is_empty_or_no_mapping_says_so() {
    let fixture = Fixture::new();
    let code = |text: &str| fixture.load(text).unwrap_err().iter().next().unwrap().code;
    assert_eq!(code("# nothing\n"), "file::empty");
    assert_eq!(code("- a\n"), "value::type");
}

#[test]
fn the_number_of_seats_has_limits() {
    let fixture = Fixture::new();
    let wide = "docker: {subnets: 10.0.0.0/8, ports: {per_seat: 1}}\n";
    assert!(
        fixture
            .with(&format!("seats: {{count: 10000}}\n{wide}"))
            .is_ok()
    );
    for seats in [
        "count: 0",
        "count: 100000",
        "count: 4294967295",
        "count: 9999, spares: 2",
        "count: -1",
        "spares: 10000",
        "group_size: 0",
    ] {
        let problems = fixture.problems(&format!("seats: {{{seats}}}\n{wide}"));
        assert_eq!(problems.len(), 1, "{seats}: {problems:?}");
    }
}

#[test]
fn two_hundred_seats_fit_the_default_range_and_too_many_are_told_how_many_fit() {
    let fixture = Fixture::new();
    assert!(fixture.with("seats: {count: 200}\n").is_ok());
    assert_eq!(
        fixture.problems("seats: {count: 17}\ndocker: {subnets: 10.9.0.0/24, subnet_prefix: 28}\n"),
        [
            "e.yaml:5:19: 10.9.0.0/24 has 16 networks of /28: too few for 17 seats (16 seats fit; take a larger range or smaller networks)"
        ]
    );
}

#[test]
fn a_range_must_be_a_private_ipv4_range() {
    let fixture = Fixture::new();
    for range in [
        "8.8.0.0/16",
        "10.0.0.1/16",
        "0.0.0.0/0",
        "10.0.0.0",
        "fd00::/8",
        "10.0.0.0/33",
    ] {
        let problems = fixture.problems(&format!("docker: {{subnets: '{range}'}}\n"));
        assert_eq!(problems.len(), 1, "{range}: {problems:?}");
    }
}

#[test]
fn an_expiry_may_lie_ahead_and_not_behind_while_the_event_may() {
    let fixture = Fixture::new();
    let lifetime = |text: &str| fixture.with(&format!("lifetime: {text}\n"));
    let until = lifetime("2026-06-01T20:00:00+08:00")
        .unwrap()
        .environment
        .lifetime;
    assert_eq!(
        until,
        Lifetime::Until("2026-06-01T12:00:00Z".parse().unwrap())
    );
    for wrong in [
        "2026-05-31T20:00:00Z",
        "0h",
        "-3h",
        "3000h",
        "2027-06-01T00:00:00Z",
        "soon",
        "12",
        "2026-06-02",
    ] {
        let problems = lifetime(wrong).unwrap_err();
        assert_eq!(problems.len(), 1, "{wrong}: {problems}");
    }
    assert!(
        fixture
            .with("event: {starts: 2000-01-01T09:00, ends: 2000-01-01T10:00}\n")
            .is_ok()
    );
}

#[test]
fn a_time_without_offset_is_one_of_the_event_s_zone() {
    let event = Fixture::new()
        .with("event: {time_zone: Asia/Shanghai, starts: 2024-10-19T09:00, ends: 2024-10-19T03:00:00Z}\n")
        .unwrap()
        .environment
        .event;
    assert_eq!(event.starts.unwrap().to_string(), "2024-10-19T01:00:00Z");
    assert_eq!(event.ends.unwrap().to_string(), "2024-10-19T03:00:00Z");
}

#[test]
fn workspace_files_come_from_a_directory_or_from_git_without_credentials() {
    let fixture = Fixture::new();
    let files = |text: &str| fixture.with(&format!("workspace: {{files: {text}}}\n"));
    let directory = |text| files(text).unwrap().environment.workspace.files.unwrap();
    let expected = WorkspaceFiles::Directory(fixture.dir.path().join("files"));
    assert_eq!(directory("files"), expected);
    assert_eq!(directory("{directory: ./files}"), expected);
    for url in [
        "https://example.org/a.git",
        "git@example.org:a/b.git",
        "ssh://git@example.org/a",
        "file:///srv/a.git",
    ] {
        assert!(
            files(&format!("{{git: '{url}', revision: v1}}")).is_ok(),
            "{url}"
        );
    }
    for wrong in [
        "{git: 'https://me:hunter2@example.org/a.git'}",
        "{git: 'https://hunter2@example.org/a.git'}",
        "{git: 'ssh://git:hunter2@example.org/a.git'}",
        "{git: 'ext::sh -c hunter2'}",
        "{git: '--upload-pack=hunter2'}",
        "{git: 'https://example.org/a.git', revision: --hunter2}",
        "{git: 'https://example.org/a.git', directory: files}",
        "{revision: v1}",
        "{}",
        "stack.yaml",
    ] {
        let problems = files(wrong).unwrap_err();
        assert!(!problems.to_string().contains("hunter2"), "{problems}");
    }
}

#[test]
fn a_bind_mount_that_opens_the_machine_is_refused() {
    let fixture = Fixture::new();
    std::os::unix::fs::symlink("/", fixture.dir.path().join("link")).unwrap();
    let mounts = |text: &str| fixture.with(&format!("isolation: {{bind_mounts: ['{text}']}}\n"));
    let allowed = mounts("files").unwrap().environment.isolation.bind_mounts;
    assert_eq!(allowed, [fixture.dir.path().join("files")]);
    assert!(mounts("/srv/data").is_ok());
    for wrong in [
        "/",
        "/var",
        "/run",
        "/var/run/docker.sock",
        "/srv/..",
        "../../../../../..",
        "link",
        "",
    ] {
        assert!(mounts(wrong).is_err(), "{wrong}");
    }
}

#[test]
fn mirrors_and_capabilities_are_checked() {
    let fixture = Fixture::new();
    assert!(
        fixture
            .with("images: {mirrors: ['m.example:5000/hub', 10.0.0.1, localhost]}\n")
            .is_ok()
    );
    for wrong in [
        "https://m.example",
        "m.example:99999",
        "me:pw@m.example",
        "m.example/",
        "",
        "-x",
    ] {
        assert_eq!(
            fixture
                .problems(&format!("images: {{mirrors: ['{wrong}']}}\n"))
                .len(),
            1,
            "{wrong}"
        );
    }
    let capabilities =
        |text: &str| fixture.with(&format!("isolation: {{capabilities: [{text}]}}\n"));
    let allowed = capabilities("cap_sys_ptrace")
        .unwrap()
        .environment
        .isolation
        .capabilities;
    assert_eq!(allowed, ["SYS_PTRACE"]);
    assert!(capabilities("ALL").is_err() && capabilities("'a b'").is_err());
}

#[test]
fn layers_lie_upon_each_other_and_each_value_knows_its_own() {
    let fixture = Fixture::new()
        .variable("SEATBOX__SEATS__COUNT", "3")
        .variable("seatbox__limits__memory", "64m")
        .variable("SEATBOX__STACK__VARIABLES__DB_PASSWORD", "hunter2")
        .variable("SEATBOX_ENVIRONMENT", "ignored")
        .set("seats.spares=2")
        .set("event.title=Go: 广州")
        .set("images.mirrors=[a.example, b.example]");
    let loaded = fixture
        .with("seats: {count: 23, spares: 1}\nlimits:\n")
        .unwrap();
    let environment = &loaded.environment;
    assert_eq!((environment.seats.count, environment.seats.spares), (3, 2));
    assert_eq!(environment.event.title, "Go: 广州");
    assert_eq!(environment.images.mirrors, ["a.example", "b.example"]);
    assert_eq!(environment.limits.pids, 256);
    let dir = format!("{}/", fixture.dir.path().display());
    let all: Vec<String> = settings(&loaded.tree)
        .iter()
        .map(|s| format!("{} = {} ({})", s.path, s.value, s.origin.replace(&dir, "")))
        .collect();
    for line in [
        "seats.count = 3 (SEATBOX__SEATS__COUNT)",
        "seats.spares = 2 (--set seats.spares)",
        "seats.group_size = 12 (default)",
        "name = \"demo\" (e.yaml:2:7)",
        "stack.file = \"stack.yaml\" (e.yaml:3:8)",
        "stack.variables.DB_PASSWORD = (hidden) (SEATBOX__STACK__VARIABLES__DB_PASSWORD)",
        "limits.memory = \"64m\" (seatbox__limits__memory)",
        "images.mirrors[1] = \"b.example\" (--set images.mirrors)",
    ] {
        assert!(all.iter().any(|shown| shown == line), "{line} in {all:#?}");
    }
}

#[test]
fn mistakes_outside_the_file_name_their_variable_or_option() {
    let fixture = Fixture::new()
        .variable("SEATBOX__SEATS__CUONT", "3")
        .variable("SEATBOX__", "3")
        .variable("SEATBOX__IMAGES__MIRRORS", "[a")
        .set("seats.count=many")
        .set("seats.spares");
    let problems = fixture.problems("");
    let origins: Vec<&str> = problems
        .iter()
        .map(|line| line.split(": ").next().unwrap())
        .collect();
    for origin in [
        "SEATBOX__SEATS__CUONT",
        "SEATBOX__",
        "SEATBOX__IMAGES__MIRRORS",
        "--set seats.count",
        "--set seats.spares",
    ] {
        assert!(origins.contains(&origin), "{origin} in {problems:#?}");
    }
    assert_eq!(problems.len(), 5);
}

#[test]
fn a_stack_is_a_file_or_a_built_in_one() {
    let fixture = Fixture::new();
    let stack = |text: &str| fixture.load(&format!("version: 1\nname: demo\nstack: {text}\n"));
    let services = |text: &str| stack(text).unwrap().environment.stack.services.len();
    assert_eq!(services("stack.yaml"), 1);
    assert_eq!(
        services("{file: stack.yaml, variables: {A: 1.10}, profiles: [debug]}"),
        2
    );
    assert!(stack("{template: go-redis-postgres}").is_ok());
    assert!(
        stack("{template: go-redis-postgre}")
            .unwrap_err()
            .to_string()
            .contains("did you mean `go-redis-postgres`?")
    );
    assert!(stack("{file: stack.yaml, template: go-redis-postgres}").is_err());
    assert!(stack("{template: ../../Cargo}").is_err());
    assert!(stack("{}").is_err());
    assert!(stack("[a]").is_err());
}

#[test]
fn problems_of_environment_and_stack_come_together() {
    let fixture = Fixture::new();
    std::fs::write(fixture.dir.path().join("stack.yaml"), "a: 1\na: 2\n").unwrap();
    let problems = fixture.problems("seats: {count: 0}\n");
    assert_eq!(problems.len(), 2, "{problems:?}");
    assert!(problems[1].starts_with("stack.yaml:2:1: "), "{problems:?}");
}

#[test]
fn the_shipped_environments_are_good_and_fit_the_schema() {
    let validator = jsonschema::validator_for(&schema()).unwrap();
    let overrides = Fixture::new().overrides;
    for (file, seats) in [
        ("environments/gopher-guangzhou-2024.yaml", 23),
        ("environments/laptop.yaml", 1),
        ("environments/aws-ec2.yaml", 23),
        ("environments/aws-ecs.yaml", 23),
    ] {
        let path = repository(file);
        let loaded = load(&path, &overrides).unwrap_or_else(|problems| panic!("{problems}"));
        assert_eq!(loaded.environment.seats.total(), seats);
        let text = std::fs::read_to_string(&path).unwrap();
        let json: serde_json::Value = serde_yaml::from_str(&text).unwrap();
        let errors: Vec<String> = validator
            .iter_errors(&json)
            .map(|error| error.to_string())
            .collect();
        assert_eq!(errors, Vec::<String>::new(), "{file}");
    }
}

#[test]
fn the_schema_refuses_what_the_loader_refuses() {
    let validator = jsonschema::validator_for(&schema()).unwrap();
    let good = serde_json::json!({"version": 1, "name": "demo", "stack": {"file": "a"}});
    assert!(validator.is_valid(&good));
    for (pointer, wrong) in [
        ("version", serde_json::json!(2)),
        ("name", serde_json::json!("A b")),
        ("seats", serde_json::json!({"cuont": 1})),
        ("stack", serde_json::json!(["a"])),
    ] {
        let mut bad = good.clone();
        bad[pointer] = wrong;
        assert!(!validator.is_valid(&bad), "{bad}");
    }
}

/// `SEATBOX_UPDATE=1 cargo test the_written_schema` writes it anew.
#[test]
fn the_written_schema_is_the_program_s() {
    let path = repository("schemas/environment.schema.json");
    let current = format!("{}\n", serde_json::to_string_pretty(&schema()).unwrap());
    if std::env::var_os("SEATBOX_UPDATE").is_some() {
        std::fs::write(&path, &current).unwrap();
    }
    assert_eq!(
        std::fs::read_to_string(&path).unwrap(),
        current,
        "run it with SEATBOX_UPDATE=1"
    );
}
