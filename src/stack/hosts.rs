//! `SEATBOX_HOST_<SERVICE>`: the host at which a service of a stack is reached.

use super::interpolate::Problem;
use super::read::reader::shorten;
use super::variables::closest;
use crate::model::environment::ProviderKind;
use crate::yaml::{Node, Value};

/// What the names of these variables begin with.
pub const PREFIX: &str = "SEATBOX_HOST_";

/// The name by which a container reaches the others that share its network.
const SHARED_NETWORK: &str = "localhost";

/// The hosts of a stack's services, those of profiles that are not selected among them.
#[derive(Debug, Default)]
pub struct Hosts {
    services: Vec<Host>,
}

#[derive(Debug)]
struct Host {
    service: String,
    /// What stands behind [`PREFIX`].
    variable: String,
    host: String,
}

impl Hosts {
    /// The hosts of the services of a stack file, whatever else is wrong with it.
    pub fn of(root: &Node, provider: ProviderKind) -> Self {
        let Some(Value::Mapping(services)) = root.get("services").map(|node| &node.value) else {
            return Self::default();
        };
        let services = services.iter().map(|(key, _)| Host {
            service: key.name.clone(),
            variable: variable_part(&key.name),
            host: match provider {
                ProviderKind::Docker | ProviderKind::Ec2 => key.name.clone(),
                ProviderKind::Ecs => SHARED_NETWORK.to_owned(),
            },
        });
        Self {
            services: services.collect(),
        }
    }

    /// The host of the service whose variable ends in `part`.
    ///
    /// # Errors
    ///
    /// Where there is no such service, or more than one.
    pub fn find(&self, part: &str) -> Result<&str, Problem> {
        let mut those = self.services.iter().filter(|host| host.variable == part);
        let Some(host) = those.next() else {
            let name = format!("{PREFIX}{}", shorten(part));
            let problem = Problem::new(format!("no service is meant by `{name}`"));
            let names = self.services.iter().map(|host| host.variable.as_str());
            return Err(match closest(part, names.clone()) {
                Some(right) => problem.hint(format!("did you mean `{PREFIX}{right}`?")),
                None => {
                    let names: Vec<_> = names.map(|name| format!("{PREFIX}{name}")).collect();
                    problem.hint(format!("there are: {}", names.join(", ")))
                }
            });
        };
        match those.next() {
            None => Ok(&host.host),
            Some(other) => Err(Problem::new(format!(
                "`{PREFIX}{part}` is `{}` as well as `{}`",
                shorten(&host.service),
                shorten(&other.service)
            ))
            .hint("give one of these services another name")),
        }
    }
}

/// The name of the variable that has a service's host.
pub fn variable(service: &str) -> String {
    format!("{PREFIX}{}", variable_part(service))
}

fn variable_part(service: &str) -> String {
    let capital = |c: char| match c.to_ascii_uppercase() {
        c @ ('A'..='Z' | '0'..='9') => c,
        _ => '_',
    };
    service.chars().map(capital).collect()
}
