"""What all boto3 sides have in common: the network of an event, and calls that are throttled.

Every call is tried again as boto3 does by itself. Where it gives up, the call is made anew, for whoever
runs a script that has stopped half-way would do that, too.
"""

import argparse
import time
from concurrent.futures import ThreadPoolExecutor

import boto3
from botocore.config import Config
from botocore.exceptions import ClientError

NAME = "race"
ZONES = "ab"
VENUE = "203.0.113.0/24"
THROTTLES = {
    "RequestLimitExceeded",
    "Throttling",
    "ThrottlingException",
    "ThrottledException",
    "TooManyRequestsException",
}


def arguments():
    parser = argparse.ArgumentParser()
    parser.add_argument("--seats", type=int, required=True)
    parser.add_argument("--way", choices=["one-by-one", "threads", "batch", "bare-batch"], required=True)
    parser.add_argument("--secrets", action="store_true")
    return parser.parse_args()


def client(service, threads=10):
    return boto3.client(service, config=Config(max_pool_connections=threads))


def call(function, **parameters):
    while True:
        try:
            return function(**parameters)
        except ClientError as error:
            if error.response["Error"]["Code"] not in THROTTLES:
                raise
            time.sleep(1)


def each(threads, function, items):
    """`function` of each item, so many at once."""
    if threads == 1:
        return [function(item) for item in items]
    with ThreadPoolExecutor(threads) as pool:
        return list(pool.map(function, items))


def tags(kind, name=NAME):
    pairs = [{"Key": "Name", "Value": name}, {"Key": "event", "Value": NAME}]
    return [{"ResourceType": kind, "Tags": pairs}]


def network(ec2, ports, names=False):
    """A VPC with a way to the internet, two subnets and a security group; gives the ids of these."""
    vpc = call(ec2.create_vpc, CidrBlock="10.77.0.0/16", TagSpecifications=tags("vpc"))["Vpc"]["VpcId"]
    if names:
        call(ec2.modify_vpc_attribute, VpcId=vpc, EnableDnsHostnames={"Value": True})
    gateway = call(ec2.create_internet_gateway, TagSpecifications=tags("internet-gateway"))
    gateway = gateway["InternetGateway"]["InternetGatewayId"]
    call(ec2.attach_internet_gateway, InternetGatewayId=gateway, VpcId=vpc)
    main = [{"Name": "vpc-id", "Values": [vpc]}, {"Name": "association.main", "Values": ["true"]}]
    table = call(ec2.describe_route_tables, Filters=main)["RouteTables"][0]["RouteTableId"]
    call(ec2.create_route, RouteTableId=table, DestinationCidrBlock="0.0.0.0/0", GatewayId=gateway)
    subnets = []
    for number, zone in enumerate(ZONES):
        subnet = call(
            ec2.create_subnet,
            VpcId=vpc,
            CidrBlock=f"10.77.{128 * number}.0/17",
            AvailabilityZone=f"{ec2.meta.region_name}{zone}",
            TagSpecifications=tags("subnet"),
        )
        subnets.append(subnet["Subnet"]["SubnetId"])
    group = call(
        ec2.create_security_group,
        GroupName=NAME,
        Description="Seats of an event",
        VpcId=vpc,
        TagSpecifications=tags("security-group"),
    )["GroupId"]
    rules = [
        {"IpProtocol": "tcp", "FromPort": port, "ToPort": port, "IpRanges": [{"CidrIp": VENUE}]}
        for port in ports
    ]
    call(ec2.authorize_security_group_ingress, GroupId=group, IpPermissions=rules)
    return subnets, group
