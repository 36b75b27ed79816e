# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
"""The address of a machine in its network, in network namespaces of their own."""

from __future__ import annotations

import shutil
import subprocess
import sys

import pytest

NAMESPACE = ['unshare', '--map-root-user', '--net']
PRINT = 'from edgetpu_retrain.processes import network_address as n; print(n.outward_address())'

# A pair of virtual interfaces has a carrier if both are up.
HOTSPOT = """
ip link add wlan0 type veth peer name phone
ip address add 10.42.0.1/24 dev wlan0
ip link set wlan0 up
ip link set phone up
"""
UNPLUGGED = """
ip link add eth0 type veth peer name cable
ip address add 10.1.2.3/24 dev eth0
ip link set eth0 up
"""
DOWN = """
ip link add down0 type veth peer name down1
ip address add 10.4.5.6/24 dev down0
"""
ROUTE = 'ip route add default via 10.42.0.2'


def address_with(set_up: str, package_path: str) -> str:
    """Return the address that is found in a new network namespace after some commands."""
    if shutil.which('unshare') is None or shutil.which('ip') is None:
        pytest.skip('needs unshare (package util-linux) and ip (package iproute2)')
    if subprocess.run([*NAMESPACE, 'true'], capture_output=True, check=False).returncode != 0:
        pytest.skip('this system lets no user create a network namespace')
    script = f'set -e\nip link set lo up\n{set_up}\nexec "$0" -c "$1"'
    found = subprocess.run(
        [*NAMESPACE, 'sh', '-c', script, sys.executable, PRINT],
        env={'PYTHONPATH': package_path, 'PATH': '/usr/sbin:/sbin:/usr/bin:/bin'},
        capture_output=True,
        text=True,
        check=False,
    )
    if 'Unknown device type' in found.stderr:
        pytest.skip('this kernel has no virtual interfaces (veth)')
    assert found.returncode == 0, found.stderr
    return found.stdout.strip()


@pytest.mark.parametrize(
    ('set_up', 'address'),
    [
        ('', 'None'),
        (DOWN, 'None'),
        (HOTSPOT, '10.42.0.1'),
        (DOWN + UNPLUGGED, '10.1.2.3'),
        (DOWN + UNPLUGGED + HOTSPOT, '10.42.0.1'),
        (UNPLUGGED + HOTSPOT + ROUTE, '10.42.0.1'),
    ],
    ids=['no network', 'down', 'hotspot', 'unplugged', 'both', 'default route'],
)
def test_the_address_in_the_network_is_found(set_up: str, address: str, package_path: str) -> None:
    assert address_with(set_up, package_path) == address
