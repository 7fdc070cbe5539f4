"""moto's server, set right where a whole event on it would fail: what AWS does and it does not.

Run it with the Python that moto is installed for; it takes the arguments of moto_server. The tests
have a proxy of their own for this (tests/support/aws/mend.rs), which is stricter.
"""

import sys
from datetime import datetime, timezone

import serve
from moto.core.responses import ActionResult
from moto.ec2.models import ec2_backends
from moto.ec2.models.instances import InstanceBackend
from moto.ec2.models.vpcs import VPCBackend
from moto.ec2.responses.instances import InstanceResponse
from moto.ec2.utils import filter_dict_attribute_mapping
from moto.ecs.models import Container, EC2ContainerServiceBackend, Task
from moto.ecs.responses import EC2ContainerServiceResponse
from moto.moto_api import state_manager
from moto.servicequotas.exceptions import NoSuchResource
from moto.servicequotas.models import ServiceQuotasBackend
from moto.ssm.models import Parameter, SimpleSystemManagerBackend

UBUNTU = "/aws/service/canonical/ubuntu/server/"
# Those of images.json.
IMAGES = {
    UBUNTU + "22.04/stable/current/amd64/hvm/ebs-gp2/ami-id": "ami-0a1b2c3d4e5f62204",
    UBUNTU + "22.04/stable/current/arm64/hvm/ebs-gp2/ami-id": "ami-0a1b2c3d4e5f6220a",
    UBUNTU + "24.04/stable/current/amd64/hvm/ebs-gp3/ami-id": "ami-0a1b2c3d4e5f62404",
}
# What an account has that asked for more.
QUOTAS = {
    "L-1216C47A": "Running On-Demand Standard (A, C, D, H, I, M, R, T, Z) instances",
    "L-34B43A08": "All Standard (A, C, D, H, I, M, R, T, Z) Spot Instance Requests",
    "L-3032A538": "Fargate On-Demand vCPU resource count",
    "L-36FBB829": "Fargate Spot vCPU resource count",
}
VCPUS = 20_000.0


def replaces(cls: type):
    """Puts a function in the place of the method of its name, and hands it that one first."""

    def put(function):
        old = getattr(cls, function.__name__)
        setattr(cls, function.__name__, lambda *given, **named: function(old, *given, **named))
        return function

    return put


# --- EC2: launches as large as may be; what belongs to an instance or a network goes with it ---

filter_dict_attribute_mapping["client-token"] = "client_token"


@replaces(InstanceResponse)
def _get_param(old, self, name, *given, **named):
    return old(self, "MaxCount" if name == "MinCount" else name, *given, **named)


@replaces(InstanceBackend)
def run_instances(old, self, *given, **named):
    for interface in named["nics"]:
        interface.setdefault("DeleteOnTermination", True)
    return old(self, *given, **named)


@replaces(VPCBackend)
def delete_vpc(old, self, vpc_id):
    deleted = old(self, vpc_id)
    for acl in [acl for acl in self.network_acls.values() if acl.vpc_id == vpc_id]:
        del self.network_acls[acl.id]
    return deleted


# --- Parameter Store and quotas: what others than the account put there ---


@replaces(SimpleSystemManagerBackend)
def get_parameter(old, self, name):
    if name not in IMAGES:
        return old(self, name)
    return Parameter(
        account_id=self.account_id,
        name=name,
        value=IMAGES[name],
        parameter_type="String",
        description=None,
        allowed_pattern=None,
        keyid=None,
        last_modified_date=datetime.now(timezone.utc),
        version=1,
        data_type="aws:ec2:image",
    )


@replaces(ServiceQuotasBackend)
def get_service_quota(old, self, service_code, quota_code):
    if quota_code not in QUOTAS:
        return old(self, service_code, quota_code)
    if service_code not in ("ec2", "fargate"):
        raise NoSuchResource
    arn = f"arn:aws:servicequotas:{self.region_name}:{self.account_id}:{service_code}/{quota_code}"
    return {
        "ServiceCode": service_code,
        "QuotaCode": quota_code,
        "QuotaName": QUOTAS[quota_code],
        "QuotaArn": arn,
        "Value": VCPUS,
        "Unit": "None",
        "Adjustable": True,
        "GlobalQuota": False,
    }


# --- ECS: tasks of all their containers, which run until somebody stops them ---

state_manager.set_transition("ecs::task", {"progression": "manual", "times": 10**9})


class Containers:
    """The first container of a definition is what moto's container is; this makes it any."""

    def __init__(self, definition, container):
        self.arn = definition.arn
        self.container_definitions = [container]


def details(task):
    return [detail for attached in task.attachments for detail in attached["details"]]


@replaces(Task)
def __init__(old, self, cluster, task_definition, *given, **named):
    old(self, cluster, task_definition, *given, **named)
    self.containers = []
    self.health_status = "UNKNOWN"
    for described in task_definition.container_definitions:
        container = Container(Containers(task_definition, described))
        container.last_status = "RUNNING"
        container.health_status = "HEALTHY" if described.get("healthCheck") else "UNKNOWN"
        del container.exitCode
        if described.get("healthCheck"):
            self.health_status = "HEALTHY"
        self.containers.append(container)
    # And on the internet, as they ask to be.
    network = ec2_backends[self._account_id][self.region_name]
    for detail in details(self):
        if detail["name"] == "networkInterfaceId":
            network.enis[detail["value"]].public_ip = serve.next_address()


@replaces(EC2ContainerServiceBackend)
def stop_task(old, self, *given, **named):
    task = old(self, *given, **named)
    for container in task.containers:
        container.last_status = "STOPPED"
    network = ec2_backends[self.account_id][self.region_name]
    for detail in details(task):
        if detail["name"] == "networkInterfaceId" and detail["value"] in network.enis:
            network.delete_network_interface(detail["value"])
    return task


# Not those that have stopped, nor those of a cluster whose name begins alike.
@replaces(EC2ContainerServiceBackend)
def list_tasks(old, self, *given):
    # moto's own asks for all.
    if not given:
        return old(self)
    cluster_name, *others, status = given
    cluster = self._get_cluster(cluster_name)
    found = old(self, cluster_name, *others, status or "RUNNING")
    return [task for task in found if task.cluster_arn == cluster.arn]


@replaces(EC2ContainerServiceResponse)
def list_task_definition_families(old, self):
    wanted = self._get_param("status") or "ACTIVE"
    families = []
    for family in self.ecs_backend.list_task_definition_families(self._get_param("familyPrefix")):
        has = {revision.status for revision in self.ecs_backend.task_definitions[family].values()}
        status = "ACTIVE" if "ACTIVE" in has else "INACTIVE" if "INACTIVE" in has else None
        if status and wanted in (status, "ALL"):
            families.append(family)
    return ActionResult({"families": families})


if __name__ == "__main__":
    sys.exit(serve.main())
