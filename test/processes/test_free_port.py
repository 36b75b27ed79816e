# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
"""A port of a server that starts later."""

from __future__ import annotations

from pathlib import Path
import socket
import subprocess
import sys

from edgetpu_retrain.processes import free_port as module
from edgetpu_retrain.processes.free_port import free_port
import pytest

PRINT = 'from edgetpu_retrain.processes.free_port import free_port; print(free_port())'


def test_ports_are_distinct_and_not_those_of_outgoing_connections() -> None:
    ports = [free_port() for _ in range(20)]
    assert len(set(ports)) == 20
    first, last = map(int, Path('/proc/sys/net/ipv4/ip_local_port_range').read_text().split())
    if (first, last) != (1024, 65535):
        assert not [each for each in ports if first <= each <= last]
    for each in ports:
        with socket.socket() as server:
            server.bind(('127.0.0.1', each))
            server.listen()


def test_a_reserved_port_leaves_no_warning(package_path: str) -> None:
    done = subprocess.run(
        [sys.executable, '-W', 'default', '-c', PRINT],
        env={'PYTHONPATH': package_path},
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stderr == ''


def test_a_port_that_is_in_use_or_chosen_by_another_process_is_not_chosen(
    package_path: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    command = [sys.executable, '-c', f'{PRINT}; input()']
    with (
        socket.create_server(('127.0.0.1', 0)) as server,
        subprocess.Popen(
            command,
            env={'PYTHONPATH': package_path},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        ) as process,
    ):
        assert process.stdout is not None
        taken = [server.getsockname()[1], int(process.stdout.readline())]
        free = free_port()
        monkeypatch.setattr(module, '_candidates', lambda: taken)
        with pytest.raises(OSError, match='in use'):
            free_port()
        assert free not in taken
        process.communicate('\n')
        # The other process has ended.
        assert free_port() == taken[1]


@pytest.mark.parametrize(
    ('outgoing', 'lowest', 'highest'),
    [('32768 60999', 10000, 65535), ('1024 65535', 10000, 65535), ('10000 65000', 65001, 65535)],
)
def test_the_range_of_outgoing_connections_is_read(
    outgoing: str, lowest: int, highest: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / 'range').write_text(outgoing)
    monkeypatch.setattr(module, '_RANGE', tmp_path / 'range')
    candidates = module._candidates()
    assert (min(candidates), max(candidates)) == (lowest, highest)
