"""Seats as instances of EC2, with boto3."""

import event
from event import NAME, call, each, tags

IMAGE = "/aws/service/canonical/ubuntu/server/22.04/stable/current/amd64/hvm/ebs-gp2/ami-id"
# How many seats are launched at once at most: the user data has room for so many public keys.
MOST = 100
# KeyName is one for a whole launch, so an instance takes its seat's key by its place in the launch.
USER_DATA = """#!/bin/sh
set -eu
imds=http://169.254.169.254/latest
token=$(curl -sf -X PUT -H 'X-aws-ec2-metadata-token-ttl-seconds: 60' $imds/api/token)
place=$(curl -sf -H "X-aws-ec2-metadata-token: $token" $imds/meta-data/ami-launch-index)
sed -n "$((place + 1))p" >/home/ubuntu/.ssh/authorized_keys <<'KEYS'
{keys}
KEYS
"""


def name(seat):
    return f"{NAME}-{seat:03}"


def key_pair(ec2, seat):
    """A key pair of the seat's own, of which EC2 keeps the public half."""
    call(ec2.create_key_pair, KeyName=name(seat), KeyType="ed25519", TagSpecifications=tags("key-pair"))


def imported(ec2, seat):
    """The same of a key that is made here; gives its public half."""
    public = public_key()
    call(
        ec2.import_key_pair,
        KeyName=name(seat),
        PublicKeyMaterial=public.encode(),
        TagSpecifications=tags("key-pair"),
    )
    return public


def launch(ec2, image, subnet, group, count=1, called=NAME, **more):
    """So many instances alike."""
    instances = call(
        ec2.run_instances,
        ImageId=image,
        InstanceType="t3.small",
        MinCount=count,
        MaxCount=count,
        InstanceInitiatedShutdownBehavior="terminate",
        MetadataOptions={"HttpTokens": "required", "HttpPutResponseHopLimit": 1},
        NetworkInterfaces=[
            {
                "DeviceIndex": 0,
                "SubnetId": subnet,
                "Groups": [group],
                "AssociatePublicIpAddress": True,
                "DeleteOnTermination": True,
            }
        ],
        BlockDeviceMappings=[
            {
                "DeviceName": "/dev/sda1",
                "Ebs": {
                    "VolumeType": "gp3",
                    "VolumeSize": 16,
                    "Encrypted": True,
                    "DeleteOnTermination": True,
                },
            }
        ],
        TagSpecifications=tags("instance", called) + tags("volume", called),
        **more,
    )["Instances"]
    return [instance["InstanceId"] for instance in instances]


def public_key():
    """The public half of a key that is made here."""
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
    from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

    key = Ed25519PrivateKey.generate().public_key()
    return key.public_bytes(Encoding.OpenSSH, PublicFormat.OpenSSH).decode()


def user_data(keys, seats):
    return USER_DATA.replace("{keys}", "\n".join(keys[seat] for seat in seats))


def batch(ec2, image, subnets, group, seats, keys):
    """One launch for each subnet; `keys` are the seats' own."""
    half = -(-len(seats) // len(subnets))
    made = []
    for subnet, first in zip(subnets, range(0, len(seats), half)):
        here = seats[first : first + half]
        for part in (here[at : at + MOST] for at in range(0, len(here), MOST)):
            made += launch(ec2, image, subnet, group, len(part), UserData=user_data(keys, part))
    return made


def main():
    asked = event.arguments()
    seats = list(range(1, asked.seats + 1))
    ec2 = event.client("ec2")
    image = call(event.client("ssm").get_parameter, Name=IMAGE)["Parameter"]["Value"]
    subnets, group = event.network(ec2, [22, 8080])
    if asked.way == "bare-batch":
        keys = {seat: public_key() for seat in seats}
        made = batch(ec2, image, subnets, group, seats, keys)
    elif asked.way == "batch":
        keys = dict(zip(seats, each(8, lambda seat: imported(ec2, seat), seats)))
        made = batch(ec2, image, subnets, group, seats, keys)
    else:

        def bring(seat):
            key_pair(ec2, seat)
            subnet = subnets[seat % len(subnets)]
            return launch(ec2, image, subnet, group, called=name(seat), KeyName=name(seat))

        threads = 8 if asked.way == "threads" else 1
        made = [instance for instances in each(threads, bring, seats) for instance in instances]
    ec2.get_waiter("instance_running").wait(InstanceIds=made)


if __name__ == "__main__":
    main()
