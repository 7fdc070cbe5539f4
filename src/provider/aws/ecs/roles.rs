//! The two roles of an environment's tasks, and what they may do.

use serde_json::json;
use sha2::{Digest as _, Sha256};

use super::parameters::Account;
use crate::model::EnvironmentName;
use crate::provider::aws::names;

/// The path of all our roles.
pub const PATH: &str = "/seatbox/";

/// The name of the one policy that each has.
pub const POLICY: &str = "seatbox";

/// Who has a role.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum RoleKind {
    /// What brings a task up: it fetches images and secrets, and writes logs.
    Execution,
    /// The task's own containers.
    Task,
}

impl RoleKind {
    /// Both.
    pub const ALL: [Self; 2] = [Self::Execution, Self::Task];

    /// The role's name: 64 characters at most (IAM user guide, "Name requirements"). Roles are the
    /// same in every region, so the region is in it.
    pub fn name(self, account: &Account, environment: &EnvironmentName) -> String {
        let region = crate::hex(&Sha256::digest(account.region.as_bytes())[..3]);
        let kind = match self {
            Self::Execution => "exec",
            Self::Task => "task",
        };
        format!("seatbox-{environment}-{region}-{kind}")
    }

    /// The role's ARN.
    pub fn arn(self, account: &Account, environment: &EnvironmentName) -> String {
        let name = self.name(account, environment);
        format!(
            "arn:{}:iam::{}:role{PATH}{name}",
            account.partition, account.id
        )
    }

    /// What the role may do.
    pub fn policy(self, account: &Account, environment: &EnvironmentName) -> String {
        let Account {
            partition,
            region,
            id,
        } = account;
        let arn =
            |service: &str, rest: String| format!("arn:{partition}:{service}:{region}:{id}:{rest}");
        let statements = match self {
            Self::Execution => {
                let group = format!("log-group:{}:*", names::log_group(environment));
                let secrets = format!("parameter{}{environment}/*", names::PARAMETERS);
                json!([
                    {
                        "Effect": "Allow",
                        "Action": ["logs:CreateLogStream", "logs:PutLogEvents"],
                        "Resource": arn("logs", group),
                    },
                    {
                        "Effect": "Allow",
                        "Action": ["ssm:GetParameters"],
                        "Resource": arn("ssm", secrets),
                    },
                    {
                        "Effect": "Allow",
                        "Action": [
                            "ecr:GetAuthorizationToken",
                            "ecr:BatchCheckLayerAvailability",
                            "ecr:GetDownloadUrlForLayer",
                            "ecr:BatchGetImage",
                        ],
                        "Resource": "*",
                    },
                ])
            }
            // For ECS Exec, and for the container that reads when the seat ends.
            Self::Task => {
                let tasks = format!("task/{}/*", names::shared(environment));
                json!([
                    {
                        "Effect": "Allow",
                        "Action": [
                            "ssmmessages:CreateControlChannel",
                            "ssmmessages:CreateDataChannel",
                            "ssmmessages:OpenControlChannel",
                            "ssmmessages:OpenDataChannel",
                        ],
                        "Resource": "*",
                    },
                    {
                        "Effect": "Allow",
                        "Action": ["ecs:ListTagsForResource"],
                        "Resource": arn("ecs", tasks),
                    },
                ])
            }
        };
        json!({"Version": "2012-10-17", "Statement": statements}).to_string()
    }
}

/// Who may take a role: tasks of this account.
pub fn trust(account: &Account) -> String {
    json!({
        "Version": "2012-10-17",
        "Statement": [{
            "Effect": "Allow",
            "Principal": {"Service": "ecs-tasks.amazonaws.com"},
            "Action": "sts:AssumeRole",
            "Condition": {"StringEquals": {"aws:SourceAccount": account.id}},
        }],
    })
    .to_string()
}

#[cfg(test)]
mod tests {
    use serde_json::Value;

    use super::*;

    #[test]
    fn a_task_reads_the_tags_of_its_own_environments_tasks_alone() {
        let account = Account {
            partition: "aws-cn".to_owned(),
            region: "cn-north-1".to_owned(),
            id: "123456789012".to_owned(),
        };
        let environment = "lab".parse().expect("a name");
        let policy: Value =
            serde_json::from_str(&RoleKind::Task.policy(&account, &environment)).expect("JSON");
        let statements = policy["Statement"].as_array().expect("a list").iter();
        let of_ecs: Vec<&Value> = statements
            .filter(|statement| statement["Action"].to_string().contains("\"ecs:"))
            .collect();
        assert_eq!(
            of_ecs,
            [&json!({
                "Effect": "Allow",
                "Action": ["ecs:ListTagsForResource"],
                "Resource": "arn:aws-cn:ecs:cn-north-1:123456789012:task/seatbox-lab/*",
            })]
        );
    }
}
