//! What a stack or its environment uses and a provider can't do.

use std::fmt;

use serde::Serialize;

use super::{ec2, ecs};
use crate::diagnostic::Diagnostic;
use crate::model::environment::{ImageSource, ProviderKind};
use crate::model::{Environment, ServiceName};
use crate::yaml::{PathPart, Place};

/// What stand-ins are called that are built on one engine: no registry has them.
const STAND_INS: &str = "seatbox.local/";

/// One thing that can't be done, or not as it is written.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Unsupported {
    /// The service that uses it; none where it is about the stack or the environment.
    pub service: Option<ServiceName>,
    /// What can't be done. It names secrets and holds none.
    pub what: String,
    /// What to do instead.
    pub hint: String,
}

impl fmt::Display for Unsupported {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(service) = &self.service {
            write!(f, "service {service}: ")?;
        }
        write!(f, "{} ({})", self.what, self.hint)
    }
}

/// All that the environment uses and its provider can't do, as problems of its stack's file.
pub fn problems(environment: &Environment) -> Vec<Diagnostic> {
    let (code, found) = match environment.provider {
        ProviderKind::Docker => return Vec::new(),
        ProviderKind::Ec2 => (
            "ec2::unsupported",
            ec2::unsupported::unsupported(environment),
        ),
        ProviderKind::Ecs => {
            let images = ecs::unsupported::Images::new();
            let found = ecs::unsupported::unsupported(environment, &images);
            ("ecs::unsupported", found)
        }
    };
    let file = Place::File(environment.stack.file.display().to_string().into());
    let problem = |found: Unsupported| {
        let service = found.service.as_ref();
        let message = match service {
            Some(service) => format!("service {service}: {}", found.what),
            None => found.what,
        };
        let path = service.into_iter().flat_map(|service| {
            [
                PathPart::Key("services".into()),
                PathPart::Key(service.as_str().into()),
            ]
        });
        Diagnostic::new(code, message, file.clone())
            .with_hint(found.hint)
            .with_path(path.collect())
    };
    found.into_iter().map(problem).collect()
}

/// Collects all of it.
#[derive(Debug, Default)]
pub struct Collected(Vec<Unsupported>);

impl Collected {
    /// Something of a service.
    pub fn of(&mut self, service: &ServiceName, what: impl Into<String>, hint: impl Into<String>) {
        self.0.push(Unsupported {
            service: Some(service.clone()),
            what: what.into(),
            hint: hint.into(),
        });
    }

    /// Something of the stack or the environment.
    pub fn of_all(&mut self, what: impl Into<String>, hint: impl Into<String>) {
        self.0.push(Unsupported {
            service: None,
            what: what.into(),
            hint: hint.into(),
        });
    }

    /// What was collected, in the order in which it was found.
    pub fn done(self) -> Vec<Unsupported> {
        self.0
    }
}

/// Images that AWS can't get: what is there is pulled from registries alone. `image_of` says which
/// image a service runs in the end.
pub fn images<'a>(
    environment: &'a Environment,
    image_of: impl Fn(&'a str) -> &'a str,
    found: &mut Collected,
) {
    if !environment.images.bundled.is_empty() {
        found.of_all(
            "its images are in a bundle",
            "push them to a registry that AWS can reach, and use the environment file itself",
        );
    } else if !environment.images.sources.contains(&ImageSource::Registry) {
        found.of_all(
            "images come from recipes alone",
            "add `registry` to `images.sources`: images are pulled on AWS, and built nowhere",
        );
    }
    for service in environment.stack.services.values() {
        if image_of(&service.image).starts_with(STAND_INS) {
            found.of(
                &service.name,
                format!(
                    "its image `{}` is a stand-in, which no registry has",
                    service.image
                ),
                "name an image of a registry, or push this one to one",
            );
        }
    }
}
