//! What a plan needs of an account.

use std::collections::HashSet;
use std::sync::Arc;

use crate::plan::{Action, Operation, Plan};
use crate::provider::aws::scheme::{Aws, AwsKind, AwsStep};

/// What a plan needs of an account.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Need {
    /// How many instances it launches.
    pub instances: u64,
    /// How many tasks it runs.
    pub tasks: u64,
    /// The CPU units of one of them, 1024 of which are a vCPU.
    pub task_cpu: u64,
    /// The instances and tasks that it takes away before: what they use is free then.
    pub freed: HashSet<Arc<str>>,
    /// How many VPCs it creates.
    pub vpcs: u64,
}

impl Need {
    /// That of a plan.
    pub fn of(plan: &Plan<Aws>) -> Self {
        let mut need = Self::default();
        for action in &plan.actions {
            need.add(action);
        }
        need
    }

    fn add(&mut self, action: &Action<Aws>) {
        match &action.operation {
            Operation::Bring(AwsStep::Launch(_)) => self.instances += 1,
            Operation::Bring(AwsStep::RunTask(spec)) => {
                self.tasks += 1;
                self.task_cpu = u64::from(spec.cpu);
            }
            Operation::Bring(AwsStep::CreateVpc(_)) => self.vpcs += 1,
            Operation::Delete(id)
                if matches!(action.key.kind, AwsKind::Instance | AwsKind::Task) =>
            {
                self.freed.insert(Arc::clone(id));
            }
            _ => {}
        }
    }
}
