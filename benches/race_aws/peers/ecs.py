"""Seats as tasks of ECS on Fargate, with boto3."""

import json

import event
from event import NAME, call, each

# As many as can be under way at once.
WIDE = 32
# How many tasks one call describes.
MOST = 100
TAGS = [{"key": "event", "value": NAME}]
TRUST = {
    "Version": "2012-10-17",
    "Statement": [
        {
            "Effect": "Allow",
            "Principal": {"Service": "ecs-tasks.amazonaws.com"},
            "Action": "sts:AssumeRole",
        }
    ],
}


def name(seat):
    return f"{NAME}-{seat:03}"


def role(iam, kind, actions):
    """A role with one policy."""
    made = call(
        iam.create_role,
        RoleName=f"{NAME}-{kind}",
        AssumeRolePolicyDocument=json.dumps(TRUST),
        Tags=[{"Key": "event", "Value": NAME}],
    )
    policy = {
        "Version": "2012-10-17",
        "Statement": [{"Effect": "Allow", "Action": actions, "Resource": "*"}],
    }
    call(iam.put_role_policy, RoleName=f"{NAME}-{kind}", PolicyName=NAME, PolicyDocument=json.dumps(policy))
    return made["Role"]["Arn"]


def surroundings(region):
    """What all tasks share: the cluster, the log group and the roles."""
    logs, iam = event.client("logs"), event.client("iam")
    call(logs.create_log_group, logGroupName=f"/{NAME}", tags={"event": NAME})
    call(logs.put_retention_policy, logGroupName=f"/{NAME}", retentionInDays=7)
    execution = role(iam, "execution", ["logs:CreateLogStream", "logs:PutLogEvents", "ssm:GetParameters"])
    task = role(iam, "task", ["ssmmessages:CreateControlChannel", "ssmmessages:OpenControlChannel"])
    options = {"awslogs-group": f"/{NAME}", "awslogs-region": region, "awslogs-stream-prefix": NAME}
    return execution, task, {"logDriver": "awslogs", "options": options}


def definition(ecs, family, shared, environment=(), secrets=()):
    """Registers what a seat's task is made from: its service, and a container that ends it."""
    execution, task, logs = shared
    work = {
        "name": "work",
        "image": "docker.io/library/golang:1.23-bookworm",
        "essential": True,
        "memory": 512,
        "command": ["sleep", "infinity"],
        "environment": list(environment),
        "secrets": list(secrets),
        "portMappings": [{"containerPort": 8080, "protocol": "tcp"}],
        "logConfiguration": logs,
    }
    deadline = {
        "name": "deadline",
        "image": "docker.io/library/busybox:1",
        "essential": True,
        "memory": 64,
        "command": ["sleep", "7200"],
        "logConfiguration": logs,
    }
    call(
        ecs.register_task_definition,
        family=family,
        networkMode="awsvpc",
        requiresCompatibilities=["FARGATE"],
        cpu="512",
        memory="1024",
        executionRoleArn=execution,
        taskRoleArn=task,
        containerDefinitions=[work, deadline],
        tags=TAGS,
    )


def run(ecs, seat, family, subnets, group, environment=()):
    """Runs a seat's task."""
    overrides = {"containerOverrides": [{"name": "work", "environment": list(environment)}]}
    answer = call(
        ecs.run_task,
        cluster=NAME,
        taskDefinition=family,
        launchType="FARGATE",
        startedBy=name(seat),
        enableExecuteCommand=True,
        networkConfiguration={
            "awsvpcConfiguration": {
                "subnets": subnets,
                "securityGroups": [group],
                "assignPublicIp": "ENABLED",
            }
        },
        overrides=overrides if environment else {},
        tags=TAGS,
    )
    return answer["tasks"][0]["taskArn"]


def main():
    asked = event.arguments()
    seats = list(range(1, asked.seats + 1))
    threads = {"one-by-one": 1, "threads": 8, "batch": WIDE}[asked.way]
    ec2, ecs, ssm = event.client("ec2"), event.client("ecs", threads), event.client("ssm", threads)
    subnets, group = event.network(ec2, [8080], names=True)
    shared = surroundings(ec2.meta.region_name)
    call(ecs.create_cluster, clusterName=NAME, tags=TAGS)

    def bring(seat):
        """A seat with a definition of its own, and with a secret where that is asked for."""
        secrets = []
        if asked.secrets:
            parameter = f"/{NAME}/{seat:03}/TOKEN"
            # Tags can't come with a value that replaces another; there is none.
            pairs = [{"Key": "event", "Value": NAME}]
            call(ssm.put_parameter, Name=parameter, Value=f"secret of {seat}", Type="SecureString", Tags=pairs)
            secrets = [{"name": "TOKEN", "valueFrom": parameter}]
        own = [{"name": "SEAT", "value": str(seat)}]
        definition(ecs, name(seat), shared, own, secrets)
        return run(ecs, seat, name(seat), subnets, group)

    def bring_alike(seat):
        """A seat that differs from the others in what it is told."""
        own = [{"name": "SEAT", "value": str(seat)}]
        return run(ecs, seat, NAME, subnets, group, own)

    if asked.way == "batch" and not asked.secrets:
        definition(ecs, NAME, shared)
        made = each(threads, bring_alike, seats)
    else:
        made = each(threads, bring, seats)
    waiter = ecs.get_waiter("tasks_running")
    for at in range(0, len(made), MOST):
        waiter.wait(cluster=NAME, tasks=made[at : at + MOST])


if __name__ == "__main__":
    main()
