# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
"""
An isolated environment that affects neither a lab's robots nor a user's samples.

Processes started with it use their own DDS domain, only within this machine, and keep their files
in their own folder.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
import contextlib
import os
from pathlib import Path
import random
import socket

_PACKAGE_PARENT = Path(__file__).parents[2]

# The discovery port of a DDS domain (DDSI-RTPS 2.5, 9.6.2.3: PB and DG).
_FIRST_PORT = 7400
_PORTS_A_DOMAIN = 250

_REMOVED = (
    # Would extend discovery beyond this machine, or to other participants.
    'ROS_DISCOVERY_SERVER',
    'ROS_STATIC_PEERS',
    'ROS_SUPER_CLIENT',
    'ROS_LOCALHOST_ONLY',
    'ROS_NAMESPACE',
    # The user's middleware and its profiles: only ROS's default is known to stay isolated.
    'RMW_IMPLEMENTATION',
    'FASTDDS_BUILTIN_TRANSPORTS',
    'FASTDDS_DEFAULT_PROFILES_FILE',
    'FASTRTPS_DEFAULT_PROFILES_FILE',
    'CYCLONEDDS_URI',
)


@contextlib.contextmanager
def private_domain_id() -> Iterator[int]:
    """
    Reserve a DDS domain that no other process on this machine uses.

    ROS's domain_coordinator reserves it among all programs that use it.  If that is not installed,
    this picks a random domain whose discovery port is free.
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
    Return an environment that confines a process to `folder` and this machine.

    From Python 3.11 on, Python in it imports the same copy of this package wherever it starts.

    Args:
        domain_id: its DDS domain, 0 to 232.
        folder: folder for ROS_HOME and ROS_LOG_DIR.
        base: the environment to extend; None = this process's environment.
    """
    given = os.environ if base is None else base
    environment = {name: value for name, value in given.items() if name not in _REMOVED}
    path = [str(_PACKAGE_PARENT), *filter(None, [environment.get('PYTHONPATH')])]
    environment.update(
        ROS_DOMAIN_ID=str(domain_id),
        ROS_HOME=str(folder / 'ros_home'),
        ROS_LOG_DIR=str(folder / 'ros_log'),
        # Otherwise `python -m` would prefer a package in the current folder.
        PYTHONPATH=os.pathsep.join(path),
        PYTHONSAFEPATH='1',
        PYTHONUNBUFFERED='1',
    )
    if environment.get('ROS_DISTRO') == 'humble':
        # For distributions before Iron, which do not know the discovery range.
        environment['ROS_LOCALHOST_ONLY'] = '1'
    else:
        environment['ROS_AUTOMATIC_DISCOVERY_RANGE'] = 'LOCALHOST'
    return environment


def with_large_images(environment: Mapping[str, str], profile: Path) -> dict[str, str]:
    """
    Return an environment in which Fast DDS delivers a publisher's large raw images.

    Args:
        environment: the environment to extend.
        profile: config/fastdds_large_images.xml; see docs/large_images.md.
    """
    return {
        **environment,
        # Fast DDS reads the second name up to Jazzy, and the first one since Kilted.
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
