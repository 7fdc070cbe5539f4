//! What Seatbox adds to every service so that seats stay apart: limits, few capabilities, no new
//! privileges.

use super::isolation::capabilities;
use crate::model::environment::{Isolation, Limits};
use crate::model::{Service, Stack};

/// The service with everything that holds where its file says nothing: the environment's limits,
/// the baseline of capabilities in place of the engine's, and no new privileges unless the
/// environment opens them. Doing it twice changes nothing more.
pub fn service(service: &Service, limits: &Limits, isolation: &Isolation) -> Service {
    let mut out = service.clone();
    let resources = &mut out.resources;
    resources.memory.get_or_insert(limits.memory);
    resources.nano_cpus.get_or_insert(limits.nano_cpus);
    resources.pids.get_or_insert(limits.pids);
    // A default limit never stands below what the file reserves.
    resources.memory = resources.memory.max(resources.memory_reservation);
    resources.nano_cpus = resources.nano_cpus.max(resources.nano_cpus_reservation);
    out.cap_add = capabilities(&service.cap_add, &service.cap_drop);
    out.cap_drop = vec!["ALL".to_owned()];
    let says = |option: &String| option.starts_with("no-new-privileges");
    if !isolation.new_privileges && !out.security_opt.iter().any(says) {
        out.security_opt.push("no-new-privileges:true".to_owned());
    }
    out
}

/// The stack with each of its services hardened.
pub fn stack(stack: &Stack, limits: &Limits, isolation: &Isolation) -> Stack {
    let mut out = stack.clone();
    for each in out.services.values_mut() {
        *each = service(each, limits, isolation);
    }
    out
}
