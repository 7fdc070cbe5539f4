//! Regions that answer nobody. Each of these tests waits for minutes, as a person would: they are for a
//! full run alone, and what is waited for is in `provider::aws::silence` and its tests.

use super::callers;
use super::ec2::lab::Lab;
use super::ecs::lab as tasks;

#[test]
fn a_region_that_does_not_answer_is_named_to_who_wants_tasks() {
    callers::silent_region(&tasks::lab("tasks-silent", 2));
}

#[test]
fn a_region_that_falls_silent_in_the_midst_of_tasks_is_waited_for_and_named_if_in_vain() {
    callers::region_that_falls_silent(&tasks::lab("tasks-fallen", 4), 4);
}

#[test]
fn a_region_that_falls_silent_in_the_midst_of_instances_is_waited_for_and_named_if_in_vain() {
    callers::region_that_falls_silent(&Lab::new("fallen", 4), 4);
}
