# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
"""
The command-line options of the page's server.

They are not ROS parameters, because they are needed before the ROS node exists and cannot change
while the server runs.  Remappings, the namespace and the enclave are ROS arguments.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from dataclasses import dataclass
import ipaddress
from pathlib import Path

LOOPBACK = '127.0.0.1'
EVERYWHERE = '0.0.0.0'  # noqa: S104 - only with --lan, which needs a token
DEFAULT_PORT = 8642


@dataclass(frozen=True)
class Options:
    """
    The options of the server.

    Args:
        host: address to listen on.
        port: TCP port; 0 = any free port.
        lan: whether other machines may connect; if so, every visitor needs a token.
        allowed_hosts: additional host names under which browsers may open the page.
        tls_certificate: file of the certificate chain, PEM; None = no TLS.
        tls_key: file of the private key, PEM; None = no TLS.
        node: name of the retrain node; a relative name is in the namespace of the page's node.
        data_dir: the node's data folder on this machine; '' = the node's parameter data_dir.
    """

    host: str = LOOPBACK
    port: int = DEFAULT_PORT
    lan: bool = False
    allowed_hosts: tuple[str, ...] = ()
    tls_certificate: Path | None = None
    tls_key: Path | None = None
    node: str = 'edgetpu_retrain'
    data_dir: str = ''


def parse_options(arguments: Sequence[str]) -> Options:
    """
    Parse the options of the server.

    Args:
        arguments: the command-line arguments, without ROS arguments and the name of the program.

    Raises:
        SystemExit: if an option is invalid, or after --help.
    """
    parser = argparse.ArgumentParser(
        prog='ros2 run edgetpu_retrain page',
        description='Serve the page on which people teach the robot.',
        epilog='ROS arguments follow --ros-args, such as -r __ns:=/robot1.',
    )
    parser.add_argument('--port', type=int, default=DEFAULT_PORT, help='TCP port (%(default)s)')
    parser.add_argument(
        '--lan',
        action='store_true',
        help='let other machines in: those who open an address that is printed once',
    )
    parser.add_argument(
        '--host', help=f'address to listen on ({LOOPBACK}, with --lan {EVERYWHERE})'
    )
    parser.add_argument(
        '--allow-host',
        action='append',
        default=[],
        metavar='NAME',
        help='a further name of this machine, such as that of a proxy; may be repeated',
    )
    parser.add_argument('--tls-certificate', type=Path, metavar='FILE', help='PEM, for https')
    parser.add_argument('--tls-key', type=Path, metavar='FILE', help='its private key, PEM')
    parser.add_argument(
        '--node', default='edgetpu_retrain', help='name of the retrain node (%(default)s)'
    )
    parser.add_argument(
        '--data-dir', default='', help="the node's data folder, if it is not the default one"
    )
    given = parser.parse_args(arguments)
    host = given.host or (EVERYWHERE if given.lan else LOOPBACK)
    if not given.lan and not _is_loopback(host):
        parser.error(f'--host {host} lets other machines in: add --lan, which asks for a token')
    if (given.tls_certificate is None) != (given.tls_key is None):
        parser.error('TLS needs both --tls-certificate and --tls-key')
    if not 0 <= given.port <= 65535:
        parser.error(f'--port {given.port} must be 0 to 65535')
    return Options(
        host,
        given.port,
        given.lan,
        tuple(given.allow_host),
        given.tls_certificate,
        given.tls_key,
        given.node,
        given.data_dir,
    )


def _is_loopback(host: str) -> bool:
    if host == 'localhost':
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
