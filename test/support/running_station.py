# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
"""A station as its operator runs it, with members that connect to it."""

from __future__ import annotations

from collections.abc import Sequence
import contextlib
from dataclasses import replace
import hashlib
import json
from pathlib import Path
import random
import sys
from typing import Any

from edgetpu_retrain.command_line.main import main
from edgetpu_retrain.extractors import default_extractor_path
from edgetpu_retrain.fleet.evidence.claim import Claim
from edgetpu_retrain.fleet.evidence.manifest import NO_PACK
from edgetpu_retrain.fleet.evidence.pack import encode, Pack, Payload, seal
from edgetpu_retrain.fleet.hub.connection import connect, Hub
from edgetpu_retrain.fleet.hub.streams import evidence_subject
from edgetpu_retrain.fleet.robot.node_settings import space_of
from edgetpu_retrain.fleet.station.credentials import Credentials
from edgetpu_retrain.fleet.station.folder import StationFolder
from edgetpu_retrain.processes.free_port import free_port
from support.hub_server import find_nats_server
from support.running_program import RunningProgram

# Some moment of 2004, which no robot takes for the future.
_CLOCK = 1 << 56


class RunningStation(RunningProgram):
    """
    `edgetpu_retrain fleet serve` in a child process.

    Args:
        folder: its folder.
        options: more options.
    """

    def __init__(self, folder: Path, *options: object) -> None:
        find_nats_server()
        self.folder = StationFolder(folder)
        fixed = ['--hub-name', 'localhost', '--host', '127.0.0.1', '--limit', '1GB']
        # So that the log says when nats-server has read its configuration again.
        fixed.append('--verbose')
        if not self.folder.exists() and '--port' not in options:
            fixed += ['--port', str(free_port())]
        command = [*(sys.executable, '-m', 'edgetpu_retrain', 'fleet', 'serve', '--folder')]
        super().__init__([*command, str(folder), *fixed, *map(str, options)], {})

    def wait_until_ready(self) -> RunningStation:
        """Wait until robots can connect; the error has the log instead."""
        self.wait_for_log('the hub is ready')
        return self

    def wait_until_reloaded(self, since: int = 0) -> None:
        """
        Wait until the hub lets new members connect.

        While it reloads its configuration, it ends connections that are just made.
        """
        self.wait_for_log('Reloaded server configuration', since=since)

    @property
    def url(self) -> str:
        return self.folder.settings().local_url

    def add(self, name: str, *options: object) -> Credentials:
        """Add a member, and return its credentials."""
        path = self.folder.path.parent / f'{name}.json'
        command = ['fleet', 'add', name, '--folder', self.folder.path, '--out', path, *options]
        since = len(self.log)
        assert main(list(map(str, command))) == 0
        if self.process.poll() is None:
            self.wait_until_reloaded(since)
        return replace(Credentials.read(path), url=self.url)


class Robot:
    """
    A member that signs packs, and publishes what a test wants.

    Args:
        credentials: its credentials.
        epoch: its epoch.
    """

    def __init__(self, credentials: Credentials, epoch: str = '0' * 16) -> None:
        self.credentials = credentials
        self.key = credentials.key
        self.space = space_of(default_extractor_path().read_bytes())
        self.last: Pack | None = None
        self._epoch = epoch
        self._random = random.Random(self.key.public)

    async def connect(self) -> Hub:
        """Connect to the hub of the credentials."""
        return await connect(self.credentials.url, self.credentials)

    def pack(self, label: str, count: int = 1) -> tuple[bytes, list[Payload]]:
        """Return the next pack as a message, and its samples."""
        length = self.space.kind.dimension
        samples = [Payload(self._random.randbytes(length)) for _ in range(count)]
        first = 0 if self.last is None else self.last.claims[-1].sequence + 1
        claims = [
            Claim(
                self.space.sample_id(each.embedding), label, 'walk', _CLOCK + place, first + place
            )
            for place, each in enumerate(samples)
        ]
        number, previous = (
            (0, NO_PACK) if self.last is None else (self.last.number + 1, self.last.hash)
        )
        by_id = {self.space.sample_id(each.embedding): each for each in samples}
        self.last = seal(self.key, self._epoch, number, previous, self.space, claims, by_id)
        return encode(self.last, by_id), samples

    async def teach(self, hub: Hub, label: str, count: int = 1) -> list[Payload]:
        """Publish a pack, and return its samples."""
        message, samples = self.pack(label, count)
        subject = evidence_subject(self.space.token, self.key.public, self.key.public)
        await hub.publish(subject, message, hashlib.sha256(message).hexdigest())
        return samples


def status(station: RunningStation) -> dict[str, Any]:
    """Return what `fleet status --json` prints."""
    return output('fleet', 'status', '--folder', station.folder.path, '--json')


def output(*arguments: object) -> dict[str, Any]:
    """Return the JSON that a command prints, which must succeed."""
    import io

    printed = io.StringIO()
    with contextlib.redirect_stdout(printed):
        assert main(list(map(str, arguments))) == 0
    result: dict[str, Any] = json.loads(printed.getvalue())
    return result


def member_status(station: RunningStation, name: str) -> dict[str, Any]:
    """Return what the status says about a member."""
    members: Sequence[dict[str, Any]] = status(station)['members']
    return next(each for each in members if each['name'] == name)
