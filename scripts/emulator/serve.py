"""moto's server, in which a public address is one instance's own, as on AWS.

Run it with the Python that moto is installed for; it takes the arguments of moto_server.
"""

import itertools
import sys

from moto.ec2.models import elastic_network_interfaces
from moto.server import main

numbers = itertools.count(1)


def next_address() -> str:
    number = next(numbers)
    return f"54.214.{number // 250}.{number % 250 + 1}"


elastic_network_interfaces.random_public_ip = next_address

if __name__ == "__main__":
    sys.exit(main())
