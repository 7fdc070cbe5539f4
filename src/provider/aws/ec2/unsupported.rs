//! What can't be done on EC2. Little: a Compose file runs there as it does anywhere.

use crate::model::Environment;
use crate::model::stack::MountSource;
use crate::provider::aws::unsupported::{self, Collected, Unsupported};

/// All that the environment uses and an instance can't do.
pub fn unsupported(environment: &Environment) -> Vec<Unsupported> {
    let mut found = Collected::default();
    unsupported::images(environment, |image| image, &mut found);
    for mirror in &environment.images.mirrors {
        // Engines of some releases don't start with it.
        if mirror.contains('/') {
            found.of_all(
                format!("`images.mirrors` has {mirror}"),
                "an instance's engine takes a registry's host and port alone: leave the path out, or \
                 name such images in the stack",
            );
        }
    }
    for service in environment.stack.services.values() {
        for mount in &service.mounts {
            if let MountSource::Bind { path, .. } = &mount.source {
                found.of(
                    &service.name,
                    format!("it mounts {} of this machine", path.display()),
                    "an instance has no directory of yours: put files into `workspace.files`, a \
                     config or the image",
                );
            }
        }
    }
    found.done()
}
