//! Names of services where a host is meant: in a task they lead nowhere, for its containers share one
//! network and reach each other at localhost.
//!
//! A service's name is an ordinary word (`postgres` is a user, a database and a program, too), so only
//! what can hardly be anything else counts: the host of a URL, a name with a port, the value of a
//! variable or an option that says host.

use crate::model::text::Segment;
use crate::model::{Service, ServiceName, Stack, Text};
use crate::stack::host_variable;

use crate::provider::aws::unsupported::Collected;

/// What a variable's or an option's name has in it, where its value is a host.
const HOST_WORDS: [&str; 5] = ["HOST", "ADDR", "ENDPOINT", "BROKER", "UPSTREAM"];

/// What such a name may end in.
const HOST_ENDS: [&str; 4] = ["SERVER", "SERVERS", "URL", "URI"];

/// The fewest digits of a number behind a name that is a port and no version: `redis:6379` is a host,
/// `redis:7` an image. A port that the service listens on is one whatever its length.
const PORT_DIGITS: usize = 3;

/// Finds them in what the services of `stack` run and are told.
pub fn find(stack: &Stack, found: &mut Collected) {
    for service in stack.services.values() {
        for other in stack.services.values() {
            for place in places(service, other) {
                let name = &other.name;
                found.of(
                    &service.name,
                    format!("{place} has `{name}` for a host, and a task has no such name"),
                    format!("write ${{{}}}", host_variable(name.as_str())),
                );
            }
        }
    }
}

/// Where `service` names `other` as a host.
fn places(service: &Service, other: &Service) -> Vec<String> {
    let target = Target::of(other);
    let mut places = Vec::new();
    for (variable, text) in &service.environment {
        let text = plain(text);
        if target.is_in(&text) || (says_host(variable) && target.is_one_of(&text)) {
            places.push(format!("the variable {variable}"));
        }
    }
    let test = service.healthcheck.as_ref().map(|check| &check.test);
    for (what, texts) in [
        ("its command", service.command.as_ref()),
        ("its entrypoint", service.entrypoint.as_ref()),
        ("its healthcheck", test),
    ] {
        let words: Vec<String> = texts.into_iter().flatten().map(plain).collect();
        if words.iter().any(|word| target.is_in(word)) || target.is_option_of(&words) {
            places.push(what.to_owned());
        }
    }
    places
}

/// The text with a letter for each of a seat's own values: none of them is a host.
fn plain(text: &Text) -> String {
    let each = text.segments().iter().map(|segment| match segment {
        Segment::Literal(text) => text.as_str(),
        Segment::Variable(_) => "x",
    });
    each.collect()
}

/// Whether the value of a variable or option of that name is a host.
fn says_host(name: &str) -> bool {
    let name = name.to_ascii_uppercase();
    // A container's own.
    name != "HOSTNAME"
        && (HOST_WORDS.iter().any(|word| name.contains(word))
            || HOST_ENDS.iter().any(|end| name.ends_with(end)))
}

struct Target<'a> {
    name: &'a ServiceName,
    ports: Vec<u16>,
}

impl<'a> Target<'a> {
    fn of(service: &'a Service) -> Self {
        let published = service.ports.iter().map(|port| port.target);
        Self {
            name: &service.name,
            ports: published
                .chain(service.expose.iter().copied())
                .map(|port| port.number)
                .collect(),
        }
    }

    /// Whether it is a host somewhere in `text`, by what stands around it.
    fn is_in(&self, text: &str) -> bool {
        text.match_indices(self.name.as_str())
            .any(|(start, name)| self.is_host(&text[..start], &text[start + name.len()..]))
    }

    fn is_host(&self, before: &str, after: &str) -> bool {
        if !after.chars().next().is_none_or(ends_a_host) {
            return false;
        }
        let word = before
            .rsplit(|c: char| c.is_whitespace())
            .next()
            .unwrap_or_default();
        if before.ends_with("//") || (word.contains("//") && word.ends_with('@')) {
            return true;
        }
        if let Some(key) = before.strip_suffix('=') {
            let name = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | '.');
            let key = key.rsplit(|c| !name(c)).next().unwrap_or_default();
            if says_host(key) {
                return true;
            }
        }
        before.chars().next_back().is_none_or(begins_a_host) && self.has_port(after)
    }

    /// Whether `after` begins with a port.
    fn has_port(&self, after: &str) -> bool {
        let Some(after) = after.strip_prefix(':') else {
            return false;
        };
        let end = after.find(|c: char| !c.is_ascii_digit());
        let (digits, rest) = after.split_at(end.unwrap_or(after.len()));
        let port = digits.parse::<u16>();
        rest.chars().next().is_none_or(ends_a_host)
            && port.is_ok_and(|port| digits.len() >= PORT_DIGITS || self.ports.contains(&port))
    }

    /// Whether it is the whole of `text`, or one of a list.
    fn is_one_of(&self, text: &str) -> bool {
        let separator = |c: char| c == ',' || c == ';' || c.is_whitespace();
        text.split(separator).any(|part| part == self.name.as_str())
    }

    /// Whether it is what follows an option such as `--host`, in the words of a command or of the
    /// command lines among them.
    fn is_option_of(&self, words: &[String]) -> bool {
        let mut before = "";
        for word in words.iter().flat_map(|word| word.split_whitespace()) {
            let word = word.trim_matches(['"', '\'', ';', ')']);
            let option = before == "-h"
                || before
                    .strip_prefix("--")
                    .is_some_and(|option| !option.contains('=') && says_host(option));
            if option && word == self.name.as_str() {
                return true;
            }
            before = word;
        }
        false
    }
}

/// What may stand behind a host.
fn ends_a_host(c: char) -> bool {
    c.is_whitespace() || ":/,;?#&|\"'`)]}".contains(c)
}

/// What may stand before a host that has a port behind it.
fn begins_a_host(c: char) -> bool {
    c.is_whitespace() || "@/,;=&|\"'`([{".contains(c)
}

#[cfg(test)]
mod tests {
    use crate::provider::aws::ecs::fixture::environment;

    use super::*;

    fn target(name: &ServiceName) -> Target<'_> {
        Target {
            name,
            ports: vec![80],
        }
    }

    #[test]
    fn hosts_are_told_from_other_words() {
        let name = "redis".parse().expect("a name");
        for (text, is_host) in [
            ("redis://redis:6379/0", true),
            ("redis://default:x@redis:6379/0", true),
            ("http://redis", true),
            ("http://redis/path", true),
            ("redis:6379", true),
            ("redis:80", true),
            ("a:1,redis:6379", true),
            ("x@tcp(redis:3306)/db", true),
            ("host=redis port=5432", true),
            ("exec wait-for redis:6379 -- run", true),
            ("--upstream=redis", true),
            ("curl -f 'http://redis:8080/up'", true),
            ("redis", false),
            ("redis-server", false),
            ("redis:7", false),
            ("redis:7-bookworm", false),
            ("redis:latest", false),
            ("redis://localhost:6379/0", false),
            ("http://redis.example.com", false),
            ("http://my-redis:6379", false),
            ("predis:6379", false),
            ("npm install @redis/client", false),
            ("user=redis", false),
            ("/var/lib/redis/dump", false),
            ("me@redis.example.com", false),
            ("name@redis", false),
        ] {
            assert_eq!(target(&name).is_in(text), is_host, "{text}");
        }
    }

    #[test]
    fn an_option_that_says_host_is_followed_by_one() {
        let name = "redis".parse().expect("a name");
        for (words, is_host) in [
            (&["redis-cli", "-h", "redis", "ping"][..], true),
            (&["CMD-SHELL", "redis-cli -h redis ping"], true),
            (&["x", "--host", "redis"], true),
            (&["x", "--db-host", "\"redis\";", "y"], true),
            (&["x", "--user", "redis"], false),
            (&["redis", "--host", "localhost"], false),
            (&["x", "--host=other", "redis"], false),
        ] {
            let words: Vec<String> = words.iter().map(|word| (*word).to_owned()).collect();
            assert_eq!(target(&name).is_option_of(&words), is_host, "{words:?}");
        }
    }

    #[test]
    fn each_place_is_named_with_the_variable_to_write() {
        let environment = environment(
            "
services:
  app:
    image: app
    environment:
      PGHOST: my-db
      PGUSER: my-db
      URL: postgres://u:${SEATBOX_SECRET_PG}@my-db:5432/x
      SEVERAL_HOSTS: a,my-db
    entrypoint: [wait, 'my-db:5432']
    command: [serve, --database-host, my-db]
    healthcheck: {test: pg_isready -h my-db}
  my-db:
    image: postgres
    command: [my-db, --user, my-db]
",
        );
        let mut found = Collected::default();
        find(&environment.stack, &mut found);
        let lines: Vec<String> = found.done().iter().map(ToString::to_string).collect();
        let line = |place: &str| {
            format!(
                "service app: {place} has `my-db` for a host, and a task has no such name \
                 (write ${{SEATBOX_HOST_MY_DB}})"
            )
        };
        assert_eq!(
            lines,
            [
                "the variable PGHOST",
                "the variable URL",
                "the variable SEVERAL_HOSTS",
                "its command",
                "its entrypoint",
                "its healthcheck",
            ]
            .map(line)
        );
    }
}
