# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
"""A real NATS server with JetStream, in a folder of its own."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
import json
from pathlib import Path
import shutil
import signal
import subprocess
import sys
from typing import Any

from edgetpu_retrain.fleet.evidence.keys import Key
from edgetpu_retrain.fleet.hub.streams import (
    publish_permissions,
    station_permissions,
    subscribe_permissions,
)
from edgetpu_retrain.fleet.station.certificates import Certificate
from edgetpu_retrain.processes.free_port import free_port
import pytest
from support.waiting import PATIENCE_S, wait_until


def find_nats_server() -> str:
    """Return the installed nats-server; the test is skipped without one."""
    beside_python = Path(sys.executable).with_name('nats-server')
    found = shutil.which('nats-server') or (str(beside_python) if beside_python.exists() else '')
    if not found:
        pytest.skip('needs nats-server (sudo apt-get install nats-server)')
    return found


@dataclass(frozen=True)
class TestCredentials:
    """What a connection needs to know; without a certificate it is not encrypted."""

    __test__ = False
    seed: str
    ca: str = ''


class HubServer:
    """
    A NATS server that can be stopped, killed, restored and configured anew.

    Args:
        folder: its folder, which is made.
        members: key and roles of each member.
        jetstream: whether it stores anything.
        max_payload: largest message that it accepts, bytes.
        certificate: with which it encrypts; None = not at all.
    """

    def __init__(
        self,
        folder: Path,
        members: Mapping[str, Iterable[str]],
        *,
        jetstream: bool = True,
        max_payload: int = 8 << 20,
        certificate: Certificate | None = None,
    ) -> None:
        self.folder = folder
        self.station = Key.generate()
        self.members = dict(members)
        self.port = free_port()
        self.max_payload = max_payload
        self._jetstream = jetstream
        self._certificate = certificate
        self._process: subprocess.Popen[bytes] | None = None
        folder.mkdir(parents=True)

    @property
    def url(self) -> str:
        return f'nats://127.0.0.1:{self.port}'

    @property
    def station_credentials(self) -> TestCredentials:
        return TestCredentials(self.station.seed)

    def __enter__(self) -> HubServer:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def start(self) -> None:
        """Start the server, at the port that it had before, and wait until it listens."""
        self._write_configuration()
        for old in self.folder.glob('nats-server_*.ports'):
            old.unlink()
        with (self.folder / 'log').open('ab') as log:
            self._process = subprocess.Popen(
                [find_nats_server(), '-c', str(self.folder / 'nats.conf')], stderr=log, stdout=log
            )
        wait_until(self._is_listening)

    def stop(self, number: signal.Signals = signal.SIGTERM) -> None:
        """End the server."""
        if self._process is not None:
            self._process.send_signal(number)
            self._process.wait(PATIENCE_S)
            self._process = None

    def kill(self) -> None:
        """End the server as a power cut would."""
        self.stop(signal.SIGKILL)

    def reload(self, members: Mapping[str, Iterable[str]]) -> None:
        """Let further members connect, and wait until the running server knows them."""
        self.members |= members
        self._write_configuration()
        log = self.folder / 'log'
        before = log.read_text().count('Reloaded server configuration')
        self.signal(signal.SIGHUP)
        wait_until(lambda: log.read_text().count('Reloaded server configuration') > before)

    def signal(self, number: signal.Signals) -> None:
        """Send the server a signal."""
        assert self._process is not None
        self._process.send_signal(number)

    def copy(self, name: str) -> None:
        """Keep a copy of all that the stopped server has stored."""
        shutil.copytree(self.folder / 'store', self.folder / name)

    def restore(self, name: str) -> None:
        """Let the stopped server have a copy; '' = nothing."""
        shutil.rmtree(self.folder / 'store')
        if name:
            shutil.copytree(self.folder / name, self.folder / 'store')

    def _is_listening(self) -> bool:
        assert self._process is not None
        if self._process.poll() is not None:
            raise RuntimeError((self.folder / 'log').read_text()[-3000:])
        for path in self.folder.glob('nats-server_*.ports'):
            try:
                self.port = int(json.loads(path.read_text())['nats'][0].rpartition(':')[2])
            except ValueError:
                return False
            return True
        return False

    def _write_configuration(self) -> None:
        (self.folder / 'nats.conf').write_text(json.dumps(self._configuration(), indent=1))

    def _configuration(self) -> dict[str, Any]:
        users: list[dict[str, Any]] = [
            {
                'nkey': key,
                'permissions': {
                    'publish': publish_permissions(key, roles),
                    'subscribe': subscribe_permissions(key),
                },
            }
            for key, roles in self.members.items()
        ]
        users.append(
            {
                'nkey': self.station.public,
                'permissions': {
                    'publish': station_permissions(self.station.public),
                    'subscribe': subscribe_permissions(self.station.public),
                },
            }
        )
        configuration: dict[str, Any] = {
            'host': '127.0.0.1',
            'port': self.port,
            'ports_file_dir': str(self.folder),
            'max_payload': self.max_payload,
            'write_deadline': '60s',
            # The default is 2 s, which a client on a busy machine may need for its response.
            'authorization': {'timeout': PATIENCE_S},
            'accounts': {'FLEET': {'users': users}},
        }
        if self._certificate is not None:
            files = self.folder / 'hub.pem', self.folder / 'hub.key'
            files[0].write_text(self._certificate.pem)
            files[1].write_text(self._certificate.key)
            configuration['tls'] = {
                'cert_file': str(files[0]),
                'key_file': str(files[1]),
                'timeout': PATIENCE_S,
            }
        if self._jetstream:
            configuration['jetstream'] = {'store_dir': str(self.folder / 'store')}
            configuration['accounts']['FLEET']['jetstream'] = 'enabled'
        return configuration
