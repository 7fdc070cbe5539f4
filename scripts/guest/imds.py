"""The instance metadata service of one instance that the emulator of AWS says is running.

    imds.py ENDPOINT REGION [GO_SHA256]

It listens where instances ask, 169.254.169.254, and answers as one does that was launched with
HttpTokens=required and InstanceMetadataTags=enabled. Everything comes from the emulator, whenever it is
asked for: a tag that moves there has moved here. It needs the Python that moto is installed for.

With GO_SHA256 user data wants that archive of Go in the place of the one that the Go project made.
"""

import base64
import gzip
import json
import re
import secrets
import sys
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import boto3

endpoint, region, *go_sha256 = sys.argv[1:]
ec2 = boto3.client("ec2", endpoint_url=endpoint, region_name=region)
tokens: dict[str, float] = {}


def instance() -> dict:
    launches = ec2.describe_instances()["Reservations"]
    return launches[0]["Instances"][0]


def user_data(identity: str) -> bytes:
    found = ec2.describe_instance_attribute(InstanceId=identity, Attribute="userData")
    data = base64.b64decode(found["UserData"]["Value"])
    if go_sha256:
        text = gzip.decompress(data).decode()
        text, count = re.subn("(SEATBOX_GO_SHA256_AMD64=)[0-9a-f]{64}", rf"\g<1>{go_sha256[0]}", text)
        assert count == 1
        data = gzip.compress(text.encode(), mtime=0)
    return data


def tree() -> dict:
    """What is below /latest: a directory is a dictionary."""
    one = instance()
    interface = one["NetworkInterfaces"][0]
    zone = one["Placement"]["AvailabilityZone"]
    address, mac = one["PrivateIpAddress"], interface["MacAddress"]
    tags = {tag["Key"]: tag["Value"] for tag in one["Tags"]}
    common = {"local-hostname": one["PrivateDnsName"], "mac": mac, "security-groups": "seatbox"}
    document = {
        "accountId": interface["OwnerId"],
        "architecture": "x86_64",
        "availabilityZone": zone,
        "imageId": one["ImageId"],
        "instanceId": one["InstanceId"],
        "instanceType": one["InstanceType"],
        "privateIp": address,
        "region": region,
        "version": "2017-09-30",
    }
    return {
        "dynamic": {"instance-identity": {"document": json.dumps(document)}},
        "meta-data": {
            **common,
            "ami-id": one["ImageId"],
            "ami-launch-index": str(one["AmiLaunchIndex"]),
            "ami-manifest-path": "(unknown)",
            "block-device-mapping": {"ami": "/dev/sda1", "root": "/dev/sda1"},
            "hostname": one["PrivateDnsName"],
            "instance-action": "none",
            "instance-id": one["InstanceId"],
            "instance-life-cycle": "on-demand",
            "instance-type": one["InstanceType"],
            "local-ipv4": address,
            "network": {
                "interfaces": {
                    "macs": {
                        mac: {
                            **common,
                            "device-number": "0",
                            "interface-id": interface["NetworkInterfaceId"],
                            "local-ipv4s": address,
                            "owner-id": interface["OwnerId"],
                            "subnet-id": one["SubnetId"],
                            "vpc-id": one["VpcId"],
                        }
                    }
                }
            },
            "placement": {"availability-zone": zone, "region": region},
            "public-ipv4": one["PublicIpAddress"],
            "reservation-id": "r-0a1b2c3d4e5f60718",
            "services": {"domain": "amazonaws.com", "partition": "aws"},
            "tags": {"instance": tags},
        },
        "user-data": user_data(one["InstanceId"]),
    }


class Service(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server_version = "EC2ws"

    def answer(self, code: int, body: bytes | str = b"") -> None:
        body = body.encode() if isinstance(body, str) else body
        self.send_response(code)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def do_PUT(self) -> None:
        life = self.headers.get("X-aws-ec2-metadata-token-ttl-seconds", "")
        if self.path.rstrip("/") != "/latest/api/token":
            return self.answer(404)
        if not life.isdigit() or not 1 <= int(life) <= 21600:
            return self.answer(400)
        token = secrets.token_urlsafe(40)
        tokens[token] = time.monotonic() + int(life)
        self.answer(200, token)

    def do_GET(self) -> None:
        if tokens.get(self.headers.get("X-aws-ec2-metadata-token", ""), 0) < time.monotonic():
            return self.answer(401)
        version, _, rest = self.path.strip("/").partition("/")
        # Every version is the latest.
        if not re.fullmatch(r"latest|\d{4}-\d\d-\d\d", version):
            return self.answer(404)
        here = tree()
        for name in rest.split("/") if rest else []:
            if not isinstance(here, dict) or name not in here:
                return self.answer(404)
            here = here[name]
        if isinstance(here, dict):
            here = "\n".join(f"{n}/" if isinstance(v, dict) else n for n, v in here.items())
        self.answer(200, here)


ThreadingHTTPServer(("169.254.169.254", 80), Service).serve_forever()
