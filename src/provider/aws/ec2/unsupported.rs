//! What can't be done on EC2. Little: a Compose file runs there as it does anywhere.

use crate::model::Environment;
use crate::model::stack::MountSource;
use crate::provider::aws::unsupported::{self, Collected, Unsupported};

/// All that the environment uses and an instance can't do.
pub fn unsupported(environment: &Environment) -> Vec<Unsupported> {
    let mut found = Collected::default();
    unsupported::images(environment, |image| image, &mut found);
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
