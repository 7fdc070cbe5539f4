//! What keeps seats apart from each other and from the host, whatever a stack says.

use std::collections::BTreeMap;
use std::path::{Component, Path, PathBuf};

/// The capabilities that every container may have: what images need to prepare their data
/// directory and then to change to their user. Of the engine's default set, what is left out lets
/// a container make devices, forge packets and write the audit log.
pub const BASELINE_CAPABILITIES: [&str; 7] = [
    "CHOWN",
    "DAC_OVERRIDE",
    "FOWNER",
    "SETGID",
    "SETUID",
    "KILL",
    "NET_BIND_SERVICE",
];

/// Every capability that Linux has (capabilities(7), Linux 6.12).
pub const CAPABILITIES: [&str; 41] = [
    "AUDIT_CONTROL",
    "AUDIT_READ",
    "AUDIT_WRITE",
    "BLOCK_SUSPEND",
    "BPF",
    "CHECKPOINT_RESTORE",
    "CHOWN",
    "DAC_OVERRIDE",
    "DAC_READ_SEARCH",
    "FOWNER",
    "FSETID",
    "IPC_LOCK",
    "IPC_OWNER",
    "KILL",
    "LEASE",
    "LINUX_IMMUTABLE",
    "MAC_ADMIN",
    "MAC_OVERRIDE",
    "MKNOD",
    "NET_ADMIN",
    "NET_BIND_SERVICE",
    "NET_BROADCAST",
    "NET_RAW",
    "PERFMON",
    "SETFCAP",
    "SETGID",
    "SETPCAP",
    "SETUID",
    "SYS_ADMIN",
    "SYS_BOOT",
    "SYS_CHROOT",
    "SYS_MODULE",
    "SYS_NICE",
    "SYS_PACCT",
    "SYS_PTRACE",
    "SYS_RAWIO",
    "SYS_RESOURCE",
    "SYS_TIME",
    "SYS_TTY_CONFIG",
    "SYSLOG",
    "WAKE_ALARM",
];

/// The capabilities that a container with this `cap_add` and `cap_drop` has: the baseline without
/// what is dropped, and what is added. Everything else is dropped.
pub fn capabilities(add: &[String], drop: &[String]) -> Vec<String> {
    let dropped = |name: &str| drop.iter().any(|other| other == name || other == "ALL");
    let mut all: Vec<String> = BASELINE_CAPABILITIES
        .iter()
        .filter(|name| !dropped(name))
        .map(|name| (*name).to_owned())
        .collect();
    for name in add {
        if !all.contains(name) {
            all.push(name.clone());
        }
    }
    all
}

/// Directories that no seat ever gets, nor anything in them: the kernel's, and those with the
/// sockets and the data of container engines.
const NEVER: [&str; 9] = [
    "/dev",
    "/proc",
    "/run",
    "/sys",
    "/var/lib/containerd",
    "/var/lib/containers",
    "/var/lib/docker",
    "/var/lib/kubelet",
    "/var/run",
];

/// Sockets below a user's home directory (rootless Docker, Docker Desktop, Colima, Podman).
const BELOW_HOME: [&str; 5] = [
    ".docker/run",
    ".docker/desktop",
    ".colima",
    ".local/share/containers",
    ".local/share/docker",
];

/// The real path of a directory or file of the host that a stack wants to mount, where it may.
///
/// Symbolic links are followed as far as the path exists. What is allowed is below a directory of
/// `allowed`, and neither is, contains nor lies in one of the places that engines keep their
/// sockets in, whatever `allowed` says.
///
/// # Errors
///
/// Why it may not be mounted.
pub fn bind_path(
    path: &Path,
    allowed: &[PathBuf],
    process: &BTreeMap<String, String>,
) -> Result<PathBuf, String> {
    let written = normal(path);
    let real = real_path(&written)?;
    let mut never: Vec<PathBuf> = NEVER.iter().map(PathBuf::from).collect();
    if let Some(home) = process.get("HOME") {
        never.extend(BELOW_HOME.iter().map(|below| Path::new(home).join(below)));
    }
    if let Some(directory) = process.get("XDG_RUNTIME_DIR") {
        never.push(PathBuf::from(directory));
    }
    if let Some(socket) = process
        .get("DOCKER_HOST")
        .and_then(|host| host.strip_prefix("unix://"))
    {
        never.push(PathBuf::from(socket));
    }
    for forbidden in never.iter().filter(|path| path.is_absolute()) {
        let resolved = real_path(&normal(forbidden)).unwrap_or_else(|_| forbidden.clone());
        for candidate in [&written, &real] {
            for forbidden in [forbidden, &resolved] {
                if candidate.starts_with(forbidden) || forbidden.starts_with(candidate) {
                    return Err(format!(
                        "`{}` is never mounted: it is or holds `{}`, and with it the way to the \
                         engine or the kernel",
                        path.display(),
                        forbidden.display()
                    ));
                }
            }
        }
    }
    if is_socket(&real) {
        return Err(format!(
            "`{}` is a socket, which is never mounted",
            path.display()
        ));
    }
    let below = |directory: &PathBuf| {
        real_path(&normal(directory)).is_ok_and(|directory| real.starts_with(directory))
    };
    if !allowed.iter().any(below) {
        return Err(format!(
            "`{}` is a path of the host that the environment file does not open",
            real.display()
        ));
    }
    Ok(real)
}

fn is_socket(path: &Path) -> bool {
    use std::os::unix::fs::FileTypeExt;
    std::fs::metadata(path).is_ok_and(|metadata| metadata.file_type().is_socket())
}

/// The path without `.` and `..`, by its text alone.
pub fn normal(path: &Path) -> PathBuf {
    let mut out = PathBuf::new();
    for part in path.components() {
        match part {
            Component::CurDir => {}
            Component::ParentDir => {
                out.pop();
            }
            part => out.push(part),
        }
    }
    out
}

/// The path with the symbolic links of its existing part followed.
fn real_path(path: &Path) -> Result<PathBuf, String> {
    let mut missing = Vec::new();
    let mut existing = path;
    loop {
        match std::fs::canonicalize(existing) {
            Ok(mut real) => {
                real.extend(missing.iter().rev());
                return Ok(real);
            }
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
                // A dangling link would lead wherever it points once that exists.
                if existing.is_symlink() {
                    return Err(format!("`{}` is a link to nothing", existing.display()));
                }
                match (existing.file_name(), existing.parent()) {
                    (Some(name), Some(parent)) => {
                        missing.push(name.to_owned());
                        existing = parent;
                    }
                    _ => return Ok(path.to_owned()),
                }
            }
            Err(error) => return Err(format!("`{}` can't be looked at: {error}", path.display())),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bind(path: &Path, allowed: &[&Path]) -> Result<PathBuf, String> {
        let allowed: Vec<PathBuf> = allowed.iter().map(|path| path.to_path_buf()).collect();
        let process = [
            ("HOME", "/home/ada"),
            ("DOCKER_HOST", "unix:///opt/engine/docker.sock"),
        ];
        let process = process.map(|(k, v)| (k.to_owned(), v.to_owned())).into();
        bind_path(path, &allowed, &process)
    }

    #[test]
    fn the_engines_socket_is_out_of_reach_even_where_all_is_open() {
        for path in [
            "/",
            "/run",
            "/var",
            "/var/run",
            "/var/run/docker.sock",
            "/run/docker.sock",
            "/run/podman/podman.sock",
            "/run/user/1000/podman/podman.sock",
            "/tmp/../var/run/docker.sock",
            "/var/lib/docker/volumes",
            "/proc",
            "/dev/sda",
            "/home",
            "/home/ada",
            "/home/ada/.docker/run",
            "/opt/engine",
            "/opt/engine/docker.sock",
        ] {
            assert!(bind(Path::new(path), &[Path::new("/")]).is_err(), "{path}");
        }
    }

    #[test]
    fn only_what_is_below_an_open_directory_may_be_mounted() {
        let dir = tempfile::tempdir().expect("a directory");
        let root = dir.path().canonicalize().expect("it exists");
        let open = root.join("open");
        std::fs::create_dir_all(open.join("in")).expect("made");
        assert_eq!(bind(&open.join("in"), &[&open]), Ok(open.join("in")));
        assert_eq!(
            bind(&open.join("new/er"), &[&open]),
            Ok(open.join("new/er"))
        );
        assert!(bind(&root, &[&open]).is_err());
        assert!(bind(&open.join("../closed"), &[&open]).is_err());
        assert!(bind(&root.join("opener"), &[&open]).is_err());
    }

    #[test]
    fn a_link_leads_nowhere_else() {
        let dir = tempfile::tempdir().expect("a directory");
        let root = dir.path().canonicalize().expect("it exists");
        let open = root.join("open");
        std::fs::create_dir_all(&open).expect("made");
        for (name, target) in [
            ("run", "/run"),
            ("up", ".."),
            ("etc", "/etc"),
            ("none", "/no/x"),
        ] {
            std::os::unix::fs::symlink(target, open.join(name)).expect("made");
            assert!(bind(&open.join(name), &[&open]).is_err(), "{name}");
            assert!(
                bind(&open.join(name).join("more"), &[&open]).is_err(),
                "{name}/more"
            );
        }
    }

    #[test]
    fn a_socket_is_never_mounted() {
        let dir = tempfile::tempdir().expect("a directory");
        let path = dir.path().join("some.sock");
        let _listener = std::os::unix::net::UnixListener::bind(&path).expect("bound");
        assert!(
            bind(&path, &[dir.path()])
                .expect_err("a socket")
                .contains("socket")
        );
    }

    #[test]
    fn capabilities_are_the_baseline_less_the_dropped_and_the_added() {
        let names = |names: &[&str]| names.iter().map(|n| (*n).to_owned()).collect::<Vec<_>>();
        assert_eq!(capabilities(&[], &[]), names(&BASELINE_CAPABILITIES));
        assert_eq!(
            capabilities(&names(&["CHOWN"]), &names(&["ALL"])),
            names(&["CHOWN"])
        );
        assert!(!capabilities(&[], &names(&["KILL"])).contains(&"KILL".to_owned()));
    }
}
