# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
"""Two robots with nodes and fleet processes teach each other."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import ExitStack
from functools import partial
from itertools import cycle
from pathlib import Path
import signal
import time
from typing import Any

import cv2
from diagnostic_msgs.msg import DiagnosticArray, DiagnosticStatus
from edgetpu_retrain.fleet.ros_process import EndSignal
from edgetpu_retrain_interfaces.msg import Result
import pytest
from support.bags import photographs
from support.fleet_process import FleetProgram, running_hub
from support.robot_messages import jpeg_message
from support.running_node import image_message, Person, RunningNode
from support.waiting import wait_until

VIEWS = 6
NUMBERS = (signal.SIGINT, signal.SIGTERM)
TAUGHT = ('cat', 'coffee')


def views(subject: str, seed: int) -> list[Any]:
    """Return different views of a packaged photograph."""
    return [cv2.resize(each, (320, 240)) for each in photographs(subject, VIEWS, seed)]


def teach(person: Person) -> None:
    """Teach a robot all classes, with pictures in the requests."""
    for number, subject in enumerate(TAUGHT):
        for picture in views(subject, number):
            response = person.add(subject, count=1, image=jpeg_message(picture))
            assert response.success, response.message


@pytest.fixture
def end() -> Iterator[EndSignal]:
    """Handle signals, and restore the handlers at the end."""
    before = {number: signal.getsignal(number) for number in NUMBERS}
    yield EndSignal()
    for number, handler in before.items():
        signal.signal(number, handler)


def catches(process: int, number: signal.Signals) -> bool:
    """Return whether a process has a handler for a signal."""
    status = Path(f'/proc/{process}/status').read_text()
    (mask,) = [line.split()[1] for line in status.splitlines() if line.startswith('SigCgt')]
    return bool(int(mask, 16) >> (number - 1) & 1)


def is_classified_as(label: str, result: Result) -> bool:
    return bool(result.classification.results[0].class_id == label)


def test_a_class_taught_at_one_robot_is_recognized_by_the_other_which_may_propose(
    package_path: str, tmp_path: Path
) -> None:
    home = {'ROS_HOME': str(tmp_path)}
    with ExitStack() as stack:
        robots = stack.enter_context(running_hub(tmp_path, {'ada': 'teach', 'bob': 'propose'}))
        nodes = [
            stack.enter_context(
                RunningNode(package_path, {'follow_models': True}, ['-r', f'__ns:=/{name}'], home)
            )
            for name in robots
        ]
        processes = [
            stack.enter_context(FleetProgram(package_path, f'/{name}', parameters, home))
            for name, parameters in robots.items()
        ]
        ada, bob = (stack.enter_context(Person(f'/{name}/edgetpu_retrain')) for name in robots)
        ada.wait_until_ready()
        teach(ada)
        bob.wait_until_ready()
        results = bob.collect(Result, 'result')
        diagnostics = bob.collect(DiagnosticArray, '/diagnostics')
        camera = bob.camera('/bob/image')
        for subject in TAUGHT:
            camera.show(image_message(views(subject, 9)[0]))
            results.wait_for(partial(is_classified_as, subject))
        # What bob is taught waits for ada, whose node asks about no frames.
        assert bob.add('rocket', count=1, image=jpeg_message(views('rocket', 5)[0])).success
        wait_until(lambda: ada.list_questions().total == 1)
        (question,) = ada.list_questions().questions
        asked = (question.kind, question.camera, list(question.labels), question.has_image)
        assert asked == ('proposal', 'bob', ['rocket'], False)
        assert ada.answer('rocket', question.id).label_total == 1
        name = '/bob/edgetpu_retrain_fleet: fleet'
        diagnostics.wait_for(
            lambda each: any(
                status.name == name and status.level == DiagnosticStatus.OK
                for status in each.status
            )
        )
        for process in processes:
            process.wait_for_log('is a member of fleet')
            assert process.end() == 0
            log = '\n'.join(process.log)
            assert 'Traceback' not in log, log
        for node in nodes:
            assert node.end() == 0


@pytest.mark.parametrize('number', NUMBERS)
def test_a_signal_ends_the_waiting_whenever_it_comes(
    end: EndSignal, number: signal.Signals
) -> None:
    async def wait() -> None:
        asyncio.get_running_loop().call_soon(signal.raise_signal, number)
        await end.wait()

    asyncio.run(wait())
    assert end.has_come
    # The event loop is closed, and what was open is closed now.
    signal.raise_signal(number)
    # A signal that came before the event loop ran.
    asyncio.run(end.wait())


@pytest.mark.parametrize('when', ['starts', 'runs'])
def test_it_ends_quietly_however_many_signals_come(
    when: str, package_path: str, tmp_path: Path
) -> None:
    with running_hub(tmp_path, {'ada': 'teach'}) as robots:
        process = FleetProgram(package_path, '/ada', robots['ada'], {'ROS_HOME': str(tmp_path)})
        if when == 'runs':
            process.wait_for_log('does not respond')
        numbers = cycle((signal.SIGINT, signal.SIGINT, signal.SIGTERM))
        if when == 'starts':
            # The interpreter has the handlers only some time after its start.
            wait_until(lambda: catches(process.process.pid, signal.SIGTERM))
        while process.process.poll() is None:
            process.process.send_signal(next(numbers))
            time.sleep(0.01)
        assert process.wait() == 0
        log = '\n'.join(process.log)
        assert 'Traceback' not in log, log


@pytest.mark.parametrize(
    ('parameters', 'words'),
    [
        ({}, 'error: parameter fleet: it is empty, so this robot is in no fleet'),
        ({'fleet': 'nats://base', 'credentials': 'missing.json'}, 'missing.json'),
        (
            {'fleet': 'nats://base', 'credentials': 'ada.json', 'max_origin_share': 2.0},
            'parameter max_origin_share',
        ),
    ],
)
def test_it_does_not_start_with_wrong_parameters(
    parameters: dict[str, object], words: str, package_path: str
) -> None:
    with FleetProgram(package_path, '/ada', parameters) as process:
        assert process.wait() == 1
    assert [line for line in process.log if words in line]
    assert not [line for line in process.log if 'Traceback' in line]
