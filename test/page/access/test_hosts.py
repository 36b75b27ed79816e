# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import socket

from edgetpu_retrain.page.access.hosts import Hosts
from edgetpu_retrain.page.refused import RefusedError
import pytest

SHORT = socket.gethostname().partition('.')[0]


@pytest.mark.parametrize(
    'host',
    [
        *('localhost', 'LOCALHOST:8642', '127.0.0.1:9000', '[::1]:8642', 'localhost.:1'),
        *(SHORT, f'{SHORT.upper()}.local:8642', 'robot.example', '192.0.2.7:8642'),
    ],
)
def test_names_of_this_machine_are_served(host: str) -> None:
    Hosts(['Robot.example']).check_host(host, '192.0.2.7')


@pytest.mark.parametrize(
    'host',
    [
        *('', 'evil.example', 'localhost.evil.example', '192.0.2.8', 'evil@localhost'),
        *('localhost:80:80', 'localhost/', 'local host', '[::1', '2130706433', 'localhost\n'),
    ],
)
def test_other_names_are_refused(host: str) -> None:
    with pytest.raises(RefusedError, match='no name of this robot') as refused:
        Hosts(['Robot.example']).check_host(host, '192.0.2.7')
    assert refused.value.status == 421


def test_a_page_of_this_server_may_write() -> None:
    Hosts().check_origin('http://robot:8642', 'robot:8642')
    Hosts().check_origin('https://robot', 'robot')  # a proxy speaks TLS
    Hosts(has_tls=True).check_origin('https://Robot:8642', 'robot:8642')


@pytest.mark.parametrize(
    'origin',
    [
        *(None, '', 'null', 'http://evil.example', 'http://robot', 'http://robot:8643'),
        *('http://robot:8642.evil.example', 'http://robot:8642/', 'robot:8642', 'file://'),
    ],
)
def test_no_other_page_may_write(origin: str | None) -> None:
    with pytest.raises(RefusedError, match='only the page of this robot') as refused:
        Hosts().check_origin(origin, 'robot:8642')
    assert refused.value.status == 403


def test_a_page_without_tls_may_not_write_to_a_server_with_it() -> None:
    with pytest.raises(RefusedError):
        Hosts(has_tls=True).check_origin('http://robot:8642', 'robot:8642')
