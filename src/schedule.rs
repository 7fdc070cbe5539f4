//! `seatbox sweep` as a systemd timer and as a line for cron: the files of templates/sweep, with
//! the program and the engine filled in.

use std::path::{Path, PathBuf};

use crate::model::EnvironmentName;
use crate::provider::docker::connect::{Endpoint, EndpointKind};

const SERVICE: &str = include_str!("../templates/sweep/seatbox-sweep.service");
const TIMER: &str = include_str!("../templates/sweep/seatbox-sweep.timer");
const CRONTAB: &str = include_str!("../templates/sweep/crontab");

/// The name of the service's file.
pub const SERVICE_FILE: &str = "seatbox-sweep.service";
/// The name of the timer's file.
pub const TIMER_FILE: &str = "seatbox-sweep.timer";

/// What sweeps, and where.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sweeper {
    /// The program's path, an absolute one.
    pub program: PathBuf,
    /// The variables that lead it to the engine.
    pub variables: Vec<(String, String)>,
    /// The one environment that it sweeps; any, unless given.
    pub only: Option<EnvironmentName>,
}

/// Something that can't be written in a unit or a crontab.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{}` can't stand in a unit or a crontab", .0.escape_debug())]
pub struct Unwritable(pub String);

impl Sweeper {
    /// A sweeper of the engine at `endpoint`. `settings` is the `docker` command's own directory,
    /// where its contexts are.
    ///
    /// # Errors
    /// A path that is not UTF-8 or has control characters in it, or a program's with quotes or
    /// backslashes, which systemd takes for no path.
    pub fn new(
        program: &Path,
        endpoint: &Endpoint,
        settings: Option<&Path>,
    ) -> Result<Self, Unwritable> {
        let sweeper = Self {
            program: program.to_owned(),
            variables: variables(endpoint, settings),
            only: None,
        };
        let texts = sweeper.variables.iter().map(|(_, value)| value.clone());
        for text in texts.chain([program.display().to_string()]) {
            // A replacement character is what is shown of a path that is not UTF-8.
            if text.chars().any(|c| c.is_control() || c == '\u{fffd}') {
                return Err(Unwritable(text));
            }
        }
        let program = program.display().to_string();
        if program.contains(['"', '\'', '\\']) {
            return Err(Unwritable(program));
        }
        Ok(sweeper)
    }

    /// The service, which sweeps once.
    pub fn service(&self) -> String {
        let environment: Vec<String> = self
            .variables
            .iter()
            .map(|(name, value)| format!("Environment={}", quoted(&format!("{name}={value}"))))
            .collect();
        SERVICE
            .replace("@ENVIRONMENT@", &environment.join("\n"))
            .replace("@PROGRAM@", &quoted(&self.program.display().to_string()))
            .replace("@ONLY@", &self.only())
            .replace("@PRIVATE_TMP@", if self.needs_tmp() { "no" } else { "yes" })
    }

    /// The timer, which runs the service.
    pub fn timer(&self) -> String {
        TIMER.to_owned()
    }

    /// A line for a user's crontab, with comments above it.
    pub fn crontab(&self) -> String {
        let shell = |text: &str| shell_words::quote(text).replace('%', "\\%");
        let environment: String = self
            .variables
            .iter()
            .map(|(name, value)| format!("{name}={} ", shell(value)))
            .collect();
        CRONTAB
            .replace("@ENVIRONMENT@", &environment)
            .replace("@PROGRAM@", &shell(&self.program.display().to_string()))
            .replace("@ONLY@", &self.only())
    }

    /// A name has nothing in it that would have to be quoted.
    fn only(&self) -> String {
        let only = self.only.as_ref();
        only.map_or(String::new(), |name| format!(" --only {name}"))
    }

    /// Whether something of it lies where a private /tmp would hide it.
    fn needs_tmp(&self) -> bool {
        let values = self.variables.iter().map(|(_, value)| value.as_str());
        values
            .map(|value| value.strip_prefix("unix://").unwrap_or(value))
            .map(Path::new)
            .chain([self.program.as_path()])
            .any(|path| path.starts_with("/tmp") || path.starts_with("/var/tmp"))
    }
}

/// What decided on the engine here, for a process that has nothing of this one's environment.
fn variables(endpoint: &Endpoint, settings: Option<&Path>) -> Vec<(String, String)> {
    let text = |path: &Path| path.display().to_string();
    if let Some(context) = endpoint.found_by.strip_prefix("context ") {
        let directory = settings.map(|path| ("DOCKER_CONFIG".to_owned(), text(path)));
        return [("DOCKER_CONTEXT".to_owned(), context.to_owned())]
            .into_iter()
            .chain(directory)
            .collect();
    }
    let mut variables = vec![("DOCKER_HOST".to_owned(), endpoint.kind.to_string())];
    if let EndpointKind::Tcp {
        tls: Some(files), ..
    } = &endpoint.kind
    {
        let verify = if files.verify {
            "DOCKER_TLS_VERIFY"
        } else {
            "DOCKER_TLS"
        };
        variables.push((verify.to_owned(), "1".to_owned()));
        let file = files.ca.as_ref().or(files.cert.as_ref());
        if let Some(directory) = file.and_then(|file| file.parent()) {
            variables.push(("DOCKER_CERT_PATH".to_owned(), text(directory)));
        }
    }
    variables
}

/// A word of a unit: `%` begins a specifier there, and `\` and quotes have a meaning.
fn quoted(word: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "/._-+=:@,".contains(c);
    if word.chars().all(plain) {
        return word.to_owned();
    }
    let mut out = String::from("\"");
    for c in word.chars() {
        match c {
            '%' => out.push_str("%%"),
            '"' | '\\' => out.extend(['\\', c]),
            _ => out.push(c),
        }
    }
    out.push('"');
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::provider::docker::connect::resolve;

    fn sweeper(program: &str, variables: &[(&str, &str)]) -> Result<Sweeper, Unwritable> {
        let find = |name: &str| {
            let found = variables.iter().find(|(other, _)| *other == name);
            found.map(|(_, value)| (*value).to_owned())
        };
        let endpoint = resolve(find, Path::new("/")).unwrap();
        let settings = find("DOCKER_CONFIG").map(PathBuf::from);
        Sweeper::new(Path::new(program), &endpoint, settings.as_deref())
    }

    #[test]
    fn no_placeholder_is_left_open() {
        let host = [("DOCKER_HOST", "unix:///run/docker.sock")];
        let sweeper = sweeper("/usr/local/bin/seatbox", &host).unwrap();
        for text in [sweeper.service(), sweeper.timer(), sweeper.crontab()] {
            let open = text.split_whitespace().find(|word| {
                word.contains('@')
                    && word.chars().any(|c| c.is_ascii_uppercase())
                    && !word.contains("://")
            });
            assert_eq!(open, None, "{text}");
        }
        let service = sweeper.service();
        for line in [
            "Environment=DOCKER_HOST=unix:///run/docker.sock",
            "ExecStart=/usr/local/bin/seatbox sweep --quiet",
            "PrivateTmp=yes",
        ] {
            assert!(service.lines().any(|own| own == line), "{line}: {service}");
        }
        assert_eq!(
            sweeper.crontab().lines().last(),
            Some(
                "*/15 * * * * DOCKER_HOST=unix:///run/docker.sock /usr/local/bin/seatbox sweep \
                 --quiet >/dev/null"
            )
        );
    }

    #[test]
    fn what_is_special_in_a_unit_or_a_crontab_is_quoted() {
        let host = [("DOCKER_HOST", "unix:///tmp/a \"b\"%c.sock")];
        let sweeper = sweeper("/opt/all 100% mine/seatbox", &host).unwrap();
        let service = sweeper.service();
        for line in [
            r#"Environment="DOCKER_HOST=unix:///tmp/a \"b\"%%c.sock""#,
            r#"ExecStart="/opt/all 100%% mine/seatbox" sweep --quiet"#,
            // The socket would be hidden.
            "PrivateTmp=no",
        ] {
            assert!(service.lines().any(|own| own == line), "{line}: {service}");
        }
        let crontab = sweeper.crontab();
        let line = crontab.lines().last().unwrap();
        // As cron hands it to the shell.
        let command = line
            .strip_prefix("*/15 * * * * ")
            .unwrap()
            .replace("\\%", "%");
        let words = shell_words::split(&command).unwrap();
        assert_eq!(
            words,
            [
                "DOCKER_HOST=unix:///tmp/a \"b\"%c.sock",
                "/opt/all 100% mine/seatbox",
                "sweep",
                "--quiet",
                ">/dev/null"
            ]
        );
        assert!(!line.replace("\\%", "").contains('%'), "{line}");
    }

    #[test]
    fn the_engine_is_named_as_it_was_found() {
        let named =
            |variables: &[(&str, &str)]| sweeper("/bin/seatbox", variables).unwrap().variables;
        let pairs = |pairs: &[(&str, &str)]| -> Vec<(String, String)> {
            let own = |(name, value): &(&str, &str)| ((*name).to_owned(), (*value).to_owned());
            pairs.iter().map(own).collect()
        };
        assert_eq!(
            named(&[("DOCKER_HOST", "ssh://ops@engine:2222")]),
            pairs(&[("DOCKER_HOST", "ssh://ops@engine:2222")])
        );
        assert_eq!(
            named(&[
                ("DOCKER_HOST", "tcp://engine"),
                ("DOCKER_TLS_VERIFY", "1"),
                ("DOCKER_CERT_PATH", "/etc/seatbox/tls")
            ]),
            pairs(&[
                ("DOCKER_HOST", "tcp://engine:2376"),
                ("DOCKER_TLS_VERIFY", "1"),
                ("DOCKER_CERT_PATH", "/etc/seatbox/tls")
            ])
        );
        let endpoint = Endpoint {
            kind: EndpointKind::Unix("/run/colima.sock".into()),
            found_by: "context colima".to_owned(),
        };
        let settings = Some(Path::new("/home/o/.docker"));
        assert_eq!(
            Sweeper::new(Path::new("/bin/seatbox"), &endpoint, settings)
                .unwrap()
                .variables,
            pairs(&[
                ("DOCKER_CONTEXT", "colima"),
                ("DOCKER_CONFIG", "/home/o/.docker")
            ])
        );
    }

    #[test]
    fn what_would_break_a_line_is_refused() {
        let host = [("DOCKER_HOST", "unix:///run/docker.sock")];
        for program in [
            "/opt/two\nlines/seatbox",
            "/opt/it's/seatbox",
            "/opt/a\\b/seatbox",
        ] {
            assert!(sweeper(program, &host).is_err(), "{program}");
        }
    }
}
