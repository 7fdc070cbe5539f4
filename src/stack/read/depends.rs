//! `depends_on`.

use indexmap::IndexMap;

use super::reader::Reader;
use crate::model::ServiceName;
use crate::model::stack::{Condition, Dependency};
use crate::yaml::{Node, Value};

/// `depends_on`, as a list or with conditions.
pub fn depends_on(r: &Reader<'_>, node: &Node) -> IndexMap<ServiceName, Dependency> {
    let mut all = IndexMap::new();
    if let Value::Mapping(_) = &node.value {
        for (key, place, value) in r.every_pair(node, "depends_on") {
            let condition = condition(r, value);
            if let Some(name) = r.service_name(key, place) {
                all.insert(name, Dependency { condition });
            }
        }
        return all;
    }
    for item in r.list(node, "depends_on") {
        if let Some(text) = r.word(item, "depends_on")
            && let Some(name) = r.service_name(text, &item.place)
        {
            let condition = Condition::ServiceStarted;
            all.insert(name, Dependency { condition });
        }
    }
    all
}

fn condition(r: &Reader<'_>, node: &Node) -> Condition {
    let mut condition = Condition::ServiceStarted;
    for (key, place, value) in r.mapping(node, "a dependency").unwrap_or_default() {
        match key {
            "condition" => {
                condition = match r.plain(value, "`condition`") {
                    Some("service_started") | None => Condition::ServiceStarted,
                    Some("service_healthy") => Condition::ServiceHealthy,
                    Some("service_completed_successfully") => {
                        Condition::ServiceCompletedSuccessfully
                    }
                    Some(_) => {
                        r.fail_hint(
                            &value.place,
                            "this is no condition",
                            "there are service_started, service_healthy and \
                             service_completed_successfully",
                        );
                        Condition::ServiceStarted
                    }
                }
            }
            "required" => {
                if r.boolean(value, "`required`") == Some(false) {
                    let hint = "a seat is ready when all of its services are; leave it out";
                    r.fail_hint(&value.place, "a dependency can't be optional", hint);
                }
            }
            "restart" => {
                if r.boolean(value, "`restart`") == Some(true) {
                    let hint = "`seatbox reset` makes the whole seat new; leave it out";
                    r.fail_hint(&value.place, "`restart: true` is not supported", hint);
                }
            }
            _ => {
                let known = ["condition", "required", "restart"];
                r.unknown_key(place, "a dependency", key, &known);
            }
        }
    }
    condition
}
