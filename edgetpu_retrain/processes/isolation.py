# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
"""
Environment variables for child processes.

:func:`private_environment` isolates a process from the user's robots and samples: the process uses
a private DDS domain, is discovered only on this machine, and writes its ROS files to a separate
folder.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
import contextlib
import os
from pathlib import Path
import random
import socket

_PACKAGE_PARENT = Path(__file__).parents[2]

# The discovery port of DDS domain N is _FIRST_PORT + N * _PORTS_A_DOMAIN
# (DDSI-RTPS 2.5, 9.6.2.3: PB and DG).
_FIRST_PORT = 7400
_PORTS_A_DOMAIN = 250

_REMOVED = (
    # These change discovery, or the names of nodes.
    'ROS_DISCOVERY_SERVER',
    'ROS_STATIC_PEERS',
    'ROS_SUPER_CLIENT',
    'ROS_LOCALHOST_ONLY',
    'ROS_NAMESPACE',
    # These choose or configure the middleware; isolation is tested only with the default one.
    'RMW_IMPLEMENTATION',
    'FASTDDS_BUILTIN_TRANSPORTS',
    'FASTDDS_DEFAULT_PROFILES_FILE',
    'FASTRTPS_DEFAULT_PROFILES_FILE',
    'CYCLONEDDS_URI',
)


@contextlib.contextmanager
def private_domain_id() -> Iterator[int]:
    """
    Reserve a DDS domain for isolated processes; yield its id.

    The ROS package domain_coordinator reserves the domain; other programs that use
    domain_coordinator then get another domain.  If the package is not installed, a random
    domain from 1 to 101 whose discovery port is free is used.
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
    Return the environment variables of an isolated process.

    Args:
        domain_id: DDS domain of the process, 0 to 232.
        folder: parent folder of ROS_HOME and ROS_LOG_DIR.
        base: the environment variables to start from; None = those of this process.
    """
    given = os.environ if base is None else base
    environment = with_this_package(
        {name: value for name, value in given.items() if name not in _REMOVED}
    )
    environment.update(
        ROS_DOMAIN_ID=str(domain_id),
        ROS_HOME=str(folder / 'ros_home'),
        ROS_LOG_DIR=str(folder / 'ros_log'),
    )
    if environment.get('ROS_DISTRO') == 'humble':
        # Humble does not support ROS_AUTOMATIC_DISCOVERY_RANGE.
        environment['ROS_LOCALHOST_ONLY'] = '1'
    else:
        environment['ROS_AUTOMATIC_DISCOVERY_RANGE'] = 'LOCALHOST'
    return environment


def with_this_package(environment: Mapping[str, str]) -> dict[str, str]:
    """
    Return the environment variables of a process that imports this copy of the package.

    From Python 3.11 on, this copy takes precedence even over a copy in the current folder.
    Standard output is not buffered.

    Args:
        environment: the environment variables to extend.
    """
    path = [str(_PACKAGE_PARENT), *filter(None, [environment.get('PYTHONPATH')])]
    return {
        **environment,
        'PYTHONPATH': os.pathsep.join(path),
        # By default, `python -m` prefers a package in the current folder.
        'PYTHONSAFEPATH': '1',
        'PYTHONUNBUFFERED': '1',
    }


def with_large_images(environment: Mapping[str, str], profile: Path) -> dict[str, str]:
    """
    Return the environment variables of a process that publishes large raw images with Fast DDS.

    Args:
        environment: the environment variables to extend.
        profile: path of config/fastdds_large_images.xml; see docs/large_images.md.
    """
    # Fast DDS reads FASTRTPS_... up to Jazzy, and FASTDDS_... from Kilted on.
    names = ('FASTDDS_DEFAULT_PROFILES_FILE', 'FASTRTPS_DEFAULT_PROFILES_FILE')
    return {**environment, **dict.fromkeys(names, str(profile))}


def _free_domain_id() -> int:
    # The ports of domains above 101 are in Linux's range for outgoing connections:
    # https://docs.ros.org/en/rolling/Concepts/Intermediate/About-Domain-ID.html
    for candidate in random.SystemRandom().sample(range(1, 102), 101):
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
            try:
                probe.bind(('', _FIRST_PORT + _PORTS_A_DOMAIN * candidate))
            except OSError:
                continue
        return candidate
    raise OSError('all DDS domains from 1 to 101 are in use on this machine; end some ROS nodes')
