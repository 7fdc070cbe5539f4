//! `seatbox sweep` as a systemd timer and as a line for cron: the files of templates/sweep, with
//! the program, and the engine or the account of AWS, filled in.

use std::path::{Path, PathBuf};

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
    /// The variables that lead it to the engine, or to AWS.
    pub variables: Vec<(String, String)>,
    /// What `sweep` is told besides.
    pub arguments: Vec<String>,
}

/// Something that can't be written in a unit or a crontab.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{}` can't stand in a unit or a crontab", .0.escape_debug())]
pub struct Unwritable(pub String);

impl Sweeper {
    /// A sweeper with these variables and arguments.
    ///
    /// # Errors
    /// A text that is not UTF-8 or has control characters in it, or a program's path with quotes or
    /// backslashes, which systemd takes for no path.
    pub fn new(
        program: &Path,
        variables: Vec<(String, String)>,
        arguments: Vec<String>,
    ) -> Result<Self, Unwritable> {
        let sweeper = Self {
            program: program.to_owned(),
            variables,
            arguments,
        };
        let values = sweeper.variables.iter().map(|(_, value)| value);
        let texts = values.chain(&sweeper.arguments).cloned();
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
            .replace("@ARGUMENTS@", &self.arguments(quoted))
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
            .replace("@ARGUMENTS@", &self.arguments(shell))
    }

    fn arguments(&self, quoted: impl Fn(&str) -> String) -> String {
        let arguments = self.arguments.iter();
        arguments.map(|word| format!(" {}", quoted(word))).collect()
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
/// `settings` is the `docker` command's own directory, where its contexts are.
pub fn of_engine(endpoint: &Endpoint, settings: Option<&Path>) -> Vec<(String, String)> {
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

/// What decides here on the account of AWS and on who one is there, for a process that has nothing of
/// this one's environment: files and names of profiles, and no credentials. `variable` finds this
/// process's variables.
///
/// # Errors
/// The name of a variable with credentials in it, which would have to be written down.
pub fn of_aws(
    variable: impl Fn(&str) -> Option<String>,
) -> Result<Vec<(String, String)>, &'static str> {
    const SECRETS: [&str; 2] = ["AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN"];
    const TAKEN_OVER: [&str; 5] = [
        "AWS_PROFILE",
        "AWS_REGION",
        "AWS_DEFAULT_REGION",
        "AWS_CA_BUNDLE",
        "AWS_ENDPOINT_URL",
    ];
    if let Some(secret) = SECRETS.into_iter().find(|name| variable(name).is_some()) {
        return Err(secret);
    }
    let given = TAKEN_OVER.into_iter();
    let mut variables: Vec<(String, String)> = given
        .filter_map(|name| Some((name.to_owned(), variable(name)?)))
        .collect();
    // A service of systemd's has no home where they would be found.
    let home = variable("HOME");
    for (name, file) in [
        ("AWS_CONFIG_FILE", "config"),
        ("AWS_SHARED_CREDENTIALS_FILE", "credentials"),
    ] {
        let in_home = || Some(format!("{}/.aws/{file}", home.as_ref()?));
        if let Some(path) = variable(name).or_else(in_home) {
            variables.push((name.to_owned(), path));
        }
    }
    Ok(variables)
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
        let variables = of_engine(&endpoint, settings.as_deref());
        Sweeper::new(Path::new(program), variables, Vec::new())
    }

    fn pairs(pairs: &[(&str, &str)]) -> Vec<(String, String)> {
        let own = |(name, value): &(&str, &str)| ((*name).to_owned(), (*value).to_owned());
        pairs.iter().map(own).collect()
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
            of_engine(&endpoint, settings),
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

    #[test]
    fn an_account_is_led_to_by_files_and_profiles_and_never_by_its_keys() {
        let find = |own: &'static [(&str, &str)]| {
            move |name: &str| {
                let found = own.iter().find(|(other, _)| *other == name);
                found.map(|(_, value)| (*value).to_owned())
            }
        };
        let of_aws = |own| of_aws(find(own));
        assert_eq!(
            of_aws(&[("HOME", "/home/o"), ("AWS_PROFILE", "sweeper")]).unwrap(),
            pairs(&[
                ("AWS_PROFILE", "sweeper"),
                ("AWS_CONFIG_FILE", "/home/o/.aws/config"),
                ("AWS_SHARED_CREDENTIALS_FILE", "/home/o/.aws/credentials"),
            ])
        );
        assert_eq!(
            of_aws(&[
                ("AWS_CONFIG_FILE", "/etc/aws"),
                ("AWS_REGION", "cn-north-1")
            ])
            .unwrap(),
            pairs(&[
                ("AWS_REGION", "cn-north-1"),
                ("AWS_CONFIG_FILE", "/etc/aws")
            ])
        );
        let keys = of_aws(&[
            ("AWS_ACCESS_KEY_ID", "AKIA"),
            ("AWS_SECRET_ACCESS_KEY", "s"),
        ]);
        assert_eq!(keys, Err("AWS_SECRET_ACCESS_KEY"));
    }

    #[test]
    fn what_sweep_is_told_is_in_both_forms() {
        let arguments = ["--provider", "ec2", "--region", "eu-west-1"];
        let arguments = arguments.map(str::to_owned).to_vec();
        let sweeper = Sweeper::new(Path::new("/bin/seatbox"), Vec::new(), arguments).unwrap();
        let command = "/bin/seatbox sweep --quiet --provider ec2 --region eu-west-1";
        let service = sweeper.service();
        let start = format!("ExecStart={command}");
        assert!(service.lines().any(|line| line == start), "{service}");
        let crontab = sweeper.crontab();
        let end = format!("* {command} >/dev/null");
        assert!(
            crontab.lines().any(|line| line.ends_with(&end)),
            "{crontab}"
        );
    }
}
