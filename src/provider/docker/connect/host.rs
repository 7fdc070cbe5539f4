//! Reading an engine's address as `DOCKER_HOST` and Docker contexts write it.

use std::path::PathBuf;

/// The socket on an engine's own machine.
pub const ENGINE_SOCKET: &str = "/var/run/docker.sock";

/// An engine's address, before anything is known of TLS.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Host {
    /// A socket of this machine.
    Unix(PathBuf),
    /// A TCP port.
    Tcp {
        /// A name or an address, an IPv6 one without brackets.
        host: String,
        /// The port, where it is given.
        port: Option<u16>,
        /// Whether TLS must be spoken (`https://`).
        tls: bool,
    },
    /// A socket of another machine, reached by ssh.
    Ssh(SshTarget),
}

/// A machine that ssh can get to, and the engine's socket there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SshTarget {
    /// Whom to log in as; where not given, ssh's own settings say.
    pub user: Option<String>,
    /// A name (also one of ssh's own settings) or an address, an IPv6 one without brackets.
    pub host: String,
    /// The port; where not given, ssh's own settings say.
    pub port: Option<u16>,
    /// The engine's socket there.
    pub socket: String,
}

impl std::fmt::Display for SshTarget {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("ssh://")?;
        if let Some(user) = &self.user {
            write!(f, "{user}@")?;
        }
        f.write_str(&bracketed(&self.host))?;
        if let Some(port) = self.port {
            write!(f, ":{port}")?;
        }
        if self.socket != ENGINE_SOCKET {
            f.write_str(&self.socket)?;
        }
        Ok(())
    }
}

/// A host as it stands before a colon and a port.
pub fn bracketed(host: &str) -> String {
    if host.contains(':') {
        format!("[{host}]")
    } else {
        host.to_owned()
    }
}

/// Reads an engine's address. One without a scheme is a TCP one, as the `docker` command has it.
///
/// # Errors
/// What is wrong with it.
pub fn parse(text: &str) -> Result<Host, &'static str> {
    let text = text.trim();
    let (scheme, rest) = text.split_once("://").unwrap_or(("tcp", text));
    match scheme {
        "unix" if rest.is_empty() => Ok(Host::Unix(ENGINE_SOCKET.into())),
        "unix" if rest.starts_with('/') => Ok(Host::Unix(rest.into())),
        "unix" => Err("a socket's path must be absolute"),
        "tcp" | "http" | "https" => {
            let authority = rest.strip_suffix('/').unwrap_or(rest);
            if authority.contains(['/', '?', '#']) {
                return Err("nothing may follow the host and the port");
            }
            let (user, host, port) = split_authority(authority)?;
            if user.is_some() {
                return Err("a user can only be given with ssh://");
            }
            Ok(Host::Tcp {
                host,
                port,
                tls: scheme == "https",
            })
        }
        "ssh" => {
            let (authority, socket) = match rest.find('/') {
                Some(slash) => rest.split_at(slash),
                None => (rest, ""),
            };
            if socket.contains(['?', '#', ':']) {
                return Err("a socket's path can't have `?`, `#` or `:` in it");
            }
            let (user, host, port) = split_authority(authority)?;
            Ok(Host::Ssh(SshTarget {
                user,
                host,
                port,
                socket: match socket {
                    "" | "/" => ENGINE_SOCKET.to_owned(),
                    path => path.to_owned(),
                },
            }))
        }
        "npipe" => Err("named pipes exist on Windows only"),
        "fd" => Err("fd:// is how an engine is told where to listen, not how it is reached"),
        _ => Err("its scheme is none of unix, tcp, http, https and ssh"),
    }
}

/// What may be repeated of an address that can't be read: all but what may be a password.
pub fn shown(text: &str) -> String {
    let shown = match text.rsplit_once('@') {
        Some((before, host)) => {
            let scheme = before.split_once("://").map_or("", |(scheme, _)| scheme);
            format!("{scheme}://…@{host}")
        }
        None => text.to_owned(),
    };
    shown.chars().take(200).collect()
}

type Authority = (Option<String>, String, Option<u16>);

fn split_authority(text: &str) -> Result<Authority, &'static str> {
    let (user, rest) = match text.rsplit_once('@') {
        Some((user, _)) if user.contains(':') => {
            return Err("a password can't be given in an address");
        }
        Some((user, rest)) => (Some(user.to_owned()), rest),
        None => (None, text),
    };
    let (host, port) = match rest.strip_prefix('[') {
        Some(rest) => {
            let (host, rest) = rest.split_once(']').ok_or("its bracket is never closed")?;
            (
                host,
                rest.strip_prefix(':').or(rest.is_empty().then_some("")),
            )
        }
        None => match rest.split_once(':') {
            Some((_, port)) if port.contains(':') => {
                return Err("an IPv6 address must stand in brackets");
            }
            Some((host, port)) => (host, Some(port)),
            None => (rest, Some("")),
        },
    };
    let port = match port.ok_or("after the bracket only a port can follow")? {
        "" => None,
        port => Some(
            port.parse()
                .ok()
                .filter(|port| *port != 0)
                .ok_or("its port is not in 1 to 65535")?,
        ),
    };
    // ssh takes what begins with a hyphen for an option.
    for name in user.iter().map(String::as_str).chain([host]) {
        if name.is_empty() {
            return Err("its host or user is empty");
        }
        if name.starts_with('-') || name.contains(|c: char| c.is_whitespace() || c.is_control()) {
            return Err("its host or user has a character that can't be in one");
        }
    }
    Ok((user, host.to_owned(), port))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tcp(host: &str, port: Option<u16>, tls: bool) -> Host {
        Host::Tcp {
            host: host.to_owned(),
            port,
            tls,
        }
    }

    #[test]
    fn every_form_that_docker_reads_is_read() {
        for (text, expected) in [
            ("unix:///run/d.sock", Host::Unix("/run/d.sock".into())),
            ("unix://", Host::Unix(ENGINE_SOCKET.into())),
            ("tcp://10.0.0.5:2376", tcp("10.0.0.5", Some(2376), false)),
            ("tcp://engine/", tcp("engine", None, false)),
            ("http://engine:80", tcp("engine", Some(80), false)),
            ("https://engine", tcp("engine", None, true)),
            (
                "tcp://[2001:db8::1]:2375",
                tcp("2001:db8::1", Some(2375), false),
            ),
            ("engine:2375", tcp("engine", Some(2375), false)),
        ] {
            assert_eq!(parse(text).as_ref(), Ok(&expected), "{text}");
        }
    }

    #[test]
    fn ssh_addresses_are_read_and_shown_the_same() {
        for text in [
            "ssh://host",
            "ssh://lin@host:2222",
            "ssh://lin@host:2222/run/user/1000/docker.sock",
            "ssh://[2001:db8::1]:22",
        ] {
            let Ok(Host::Ssh(target)) = parse(text) else {
                panic!("{text} is not read");
            };
            assert_eq!(target.to_string(), text);
        }
        let Ok(Host::Ssh(target)) = parse("ssh://lin@host/") else {
            panic!("a slash at the end is not read");
        };
        assert_eq!(target.socket, ENGINE_SOCKET);
        assert_eq!(target.user.as_deref(), Some("lin"));
    }

    #[test]
    fn every_other_form_says_what_is_wrong() {
        for (text, problem) in [
            ("npipe:////./pipe/docker_engine", "Windows"),
            ("fd://", "listen"),
            ("ftp://host", "scheme"),
            ("unix://run/docker.sock", "absolute"),
            ("tcp://", "empty"),
            ("tcp://host:0", "port"),
            ("tcp://host:65536", "port"),
            ("tcp://host:x", "port"),
            ("tcp://host/v1.41", "follow"),
            ("tcp://lin@host", "user"),
            ("tcp://2001:db8::1", "brackets"),
            ("tcp://[::1", "closed"),
            ("tcp://[::1]2375", "after the bracket"),
            ("ssh://lin:secret@host", "password"),
            ("ssh://-oProxyCommand=evil", "character"),
            ("ssh://-l@host", "character"),
            ("ssh://@host", "empty"),
            ("ssh://host/a:b", "path"),
        ] {
            let error = parse(text).unwrap_err();
            assert!(error.contains(problem), "{text}: {error}");
        }
    }

    #[test]
    fn what_is_shown_of_an_address_has_no_password() {
        assert_eq!(shown("ssh://lin:secret@host"), "ssh://…@host");
        assert_eq!(shown("lin:s@cret@host"), "://…@host");
        assert_eq!(shown("ftp://host"), "ftp://host");
    }
}
