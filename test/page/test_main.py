# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
"""The program page: its options, its end, and a node that comes, goes and returns."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from pathlib import Path
import re
import signal
import socket
import sys

from aiohttp import web
from edgetpu_retrain.errors import RequestError
from edgetpu_retrain.page.options import EVERYWHERE, Options, parse_options
from edgetpu_retrain.page.server import Server
import pytest
from support.page_program import PageProgram, Phone, run
from support.robot_messages import image_message, pattern
from support.running_node import Person, RunningNode, RunningProgram

pytestmark = pytest.mark.usefixtures('measured_processes')


@pytest.fixture
def parameters(page_extractor: Path, tmp_path: Path) -> dict[str, object]:
    return {'extractor': page_extractor, 'data_dir': tmp_path / 'data', 'min_novelty': -1.0}


@pytest.fixture
def camera() -> Iterator[None]:
    """Publish images."""
    with Person() as present:
        present.camera().show(image_message(pattern(1)))
        yield


@pytest.mark.usefixtures('camera')
def test_the_node_may_start_later_be_killed_and_return(
    package_path: str, parameters: dict[str, object]
) -> None:
    async def scenario(page: PageProgram) -> None:
        async with Phone(page.url()) as phone:
            await phone.hear('status', lambda status: not status['connected'])
            status, message = await phone.post('/api/train')
            assert (status, 'is not running' in message) == (503, True)
            await phone.say(type='hold', hold=1, label='cup', camera='')
            ended = await phone.hear('hold')
            assert 'is not running' in ended['message']
            for number in range(2):
                with RunningNode(package_path, parameters) as node:
                    await phone.connected()
                    assert (await phone.hold(1, 'cup'))['label_total'] > number
                    node.end(signal.SIGKILL)
                await phone.hear('status', lambda status: not status['connected'])

    with PageProgram(package_path) as page:
        run(scenario(page))
        assert page.end() == 0


@pytest.mark.parametrize('number', [signal.SIGINT, signal.SIGTERM])
def test_a_signal_ends_it_without_a_warning(package_path: str, number: signal.Signals) -> None:
    async def scenario(page: PageProgram) -> None:
        async with Phone(page.url()) as phone:
            await phone.hear('status')
            page.process.send_signal(number)
            async for _ in phone.live:
                pass
            assert phone.live.close_code == 1001

    with PageProgram(package_path) as page:
        run(scenario(page))
        assert page.wait() == 0
        assert len(page.log) == 1, page.log


def test_with_lan_it_prints_an_address_for_each_role(package_path: str) -> None:
    with PageProgram(package_path, ['--lan', '--host', '127.0.0.1']) as page:
        for role in ('teacher', 'observer'):
            line = page.wait_for_log(f'for one {role}, once')
            assert re.search(r'http://127\.0\.0\.1:\d+/enter\?token=[\w-]{32}$', line)
        assert page.end() == 0


def test_a_port_in_use_is_said(package_path: str) -> None:
    with PageProgram(package_path) as page:
        port = page.url().rpartition(':')[2]
        with PageProgram(package_path, ['--port', port]) as other:
            other.wait_for_log('error: ')
            assert other.wait() == 1


def test_the_options() -> None:
    assert parse_options([]).host == '127.0.0.1'
    assert not parse_options([]).lan
    assert parse_options(['--lan']).host == EVERYWHERE
    assert parse_options(['--host', '::1']).host == '::1'
    given = parse_options(['--allow-host', 'a', '--allow-host', 'b', '--port', '1'])
    assert (given.allowed_hosts, given.port) == (('a', 'b'), 1)


@pytest.mark.parametrize(
    ('arguments', 'words'),
    [
        (['--host', EVERYWHERE], 'add --lan'),
        (['--host', 'robot.example'], 'add --lan'),
        (['--tls-key', 'key.pem'], 'needs both'),
        (['--port', '70000'], '0 to 65535'),
    ],
)
def test_unsafe_and_impossible_options_are_refused(
    arguments: list[str], words: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit):
        parse_options(arguments)
    assert words in capsys.readouterr().err


def test_what_it_cannot_use_is_reported_with_the_remedy(package_path: str) -> None:
    command = [sys.executable, '-m', 'edgetpu_retrain.page.main']
    with socket.socket() as taken:
        taken.bind(('127.0.0.1', 0))
        taken.listen()
        port = taken.getsockname()[1]
        for options, words in (
            (['--port', str(port)], f'error: port {port} is in use: end the program that uses it'),
            (['--lan', '--host', '192.0.2.1'], 'error: 192.0.2.1 is no address of this machine'),
            (['--node', 'a b'], "error: the name of the retrain node is 'a b': give the name"),
            (['--lan', '--host', 'robot.invalid'], "error: --host 'robot.invalid' has no address"),
        ):
            environment = {'PYTHONPATH': package_path}
            with RunningProgram([*command, *options], environment) as page:
                assert page.wait() == 1
            assert [line for line in page.log if line.startswith(words)], page.log


@pytest.mark.parametrize(
    ('certificate', 'key', 'words'),
    [
        ('no.pem', 'text.pem', r'--tls-certificate .*no\.pem cannot be read \(No such file'),
        ('text.pem', 'no.pem', r'--tls-key .*no\.pem cannot be read \(No such file'),
        ('text.pem', '.', r'--tls-key .* cannot be read \(Is a directory'),
        ('text.pem', 'text.pem', r'text\.pem and --tls-key .*text\.pem cannot be used'),
    ],
)
def test_a_tls_file_that_cannot_be_used_is_named(
    certificate: str, key: str, words: str, tmp_path: Path
) -> None:
    (tmp_path / 'text.pem').write_text('no certificate')
    options = Options(tls_certificate=tmp_path / certificate, tls_key=tmp_path / key)
    with pytest.raises(RequestError, match=words):
        asyncio.run(Server(web.Application(), options).start())
