# Copyright 2026 edgetpu_retrain contributors
#
# Licensed under the Apache License, Version 2.0 (the "License");
# you may not use this file except in compliance with the License.
# You may obtain a copy of the License at
#
#     http://www.apache.org/licenses/LICENSE-2.0
#
# Unless required by applicable law or agreed to in writing, software
# distributed under the License is distributed on an "AS IS" BASIS,
# WITHOUT WARRANTIES OR CONDITIONS OF ANY KIND, either express or implied.
# See the License for the specific language governing permissions and
# limitations under the License.
"""
An environment that touches neither a lab's robots nor a user's samples.

Processes started with it talk on a DDS domain of their own, within this machine only, and keep
their files in a folder of their own.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
import contextlib
import os
from pathlib import Path
import random
import socket

_PACKAGE_PARENT = Path(__file__).parents[2]

# Where the participants of a DDS domain meet (DDSI-RTPS 2.5, 9.6.2.3: PB and DG).
_FIRST_PORT = 7400
_PORTS_A_DOMAIN = 250

_REMOVED = (
    # Would lead discovery beyond this machine, or to other participants.
    'ROS_DISCOVERY_SERVER',
    'ROS_STATIC_PEERS',
    'ROS_SUPER_CLIENT',
    'ROS_LOCALHOST_ONLY',
    'ROS_NAMESPACE',
    # A user's own middleware and its profiles: ROS's default keeps the promise above.
    'RMW_IMPLEMENTATION',
    'FASTDDS_BUILTIN_TRANSPORTS',
    'FASTDDS_DEFAULT_PROFILES_FILE',
    'FASTRTPS_DEFAULT_PROFILES_FILE',
    'CYCLONEDDS_URI',
)


@contextlib.contextmanager
def private_domain_id() -> Iterator[int]:
    """
    Reserve a DDS domain that nobody on this machine uses.

    ROS's own domain_coordinator keeps it reserved among all programs that ask it; where that is
    not installed, a random domain whose discovery port is free is taken.
    """
    try:
        from domain_coordinator import domain_id
    except ImportError:
        yield _free_domain_id()
    else:
        with domain_id() as reserved:
            yield int(reserved)


def private_environment(
    domain_id: int, folder: Path, base: Mapping[str, str] | None = None
) -> dict[str, str]:
    """
    Return the environment of a process that stays in `folder` and on this machine.

    A Python in it imports this very package.

    Args:
        domain_id: its DDS domain, 0 to 232.
        folder: where ROS_HOME and ROS_LOG_DIR go.
        base: what to start from; None = this process's environment.
    """
    environment = dict(os.environ if base is None else base)
    for name in _REMOVED:
        environment.pop(name, None)
    path = [str(_PACKAGE_PARENT), *filter(None, [environment.get('PYTHONPATH')])]
    environment.update(
        ROS_DOMAIN_ID=str(domain_id),
        ROS_HOME=str(folder / 'ros_home'),
        ROS_LOG_DIR=str(folder / 'ros_log'),
        # `python -m` would else prefer a package in the current folder to the one in use here.
        PYTHONPATH=os.pathsep.join(path),
        PYTHONSAFEPATH='1',
        PYTHONUNBUFFERED='1',
    )
    if environment.get('ROS_DISTRO') == 'humble':
        # Older than the discovery range, which came with Iron.
        environment['ROS_LOCALHOST_ONLY'] = '1'
    else:
        environment['ROS_AUTOMATIC_DISCOVERY_RANGE'] = 'LOCALHOST'
    return environment


def with_large_images(environment: Mapping[str, str], profile: Path) -> dict[str, str]:
    """
    Return the environment of a publisher whose raw images arrive whole with Fast DDS.

    Args:
        environment: to start from.
        profile: config/fastdds_large_images.xml; docs/large_images.md says why.
    """
    return {
        **environment,
        # Up to Jazzy Fast DDS reads the second name, from Kilted on the first.
        'FASTDDS_DEFAULT_PROFILES_FILE': str(profile),
        'FASTRTPS_DEFAULT_PROFILES_FILE': str(profile),
    }


def _free_domain_id() -> int:
    # 101 is the largest domain whose ports stay out of Linux's range for outgoing connections:
    # https://docs.ros.org/en/rolling/Concepts/Intermediate/About-Domain-ID.html
    for candidate in random.SystemRandom().sample(range(1, 102), 101):
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
            try:
                probe.bind(('', _FIRST_PORT + _PORTS_A_DOMAIN * candidate))
            except OSError:
                continue
        return candidate
    raise OSError('all DDS domains from 1 to 101 are in use on this machine; end some ROS nodes')
