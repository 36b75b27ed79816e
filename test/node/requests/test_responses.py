# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
"""What a person is answered when a request cannot be met, whatever the reason."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import Future
from typing import Any

from edgetpu_retrain.errors import RequestError
from edgetpu_retrain.node.requests.responses import DEACTIVATED, result_of, ServiceResponses
import pytest
import rclpy
from std_srvs.srv import Trigger
from support.lone_node import LoneNode


class Responding(LoneNode):
    """A node whose services answer, on an executor that spins while there is something to do."""

    def __init__(self) -> None:
        super().__init__('responding')
        self.responses = ServiceResponses(self.node)

    def ask(self, work: Any) -> Any:
        return self.run(self.responses.fill, Trigger.Response(), work)


@pytest.fixture
def responding() -> Iterator[Responding]:
    responding = Responding()
    yield responding
    responding.close()


async def agree() -> str:
    return 'it was done'


async def refuse() -> str:
    raise RequestError('that cannot be')


async def break_down() -> str:
    raise KeyError('a bug')


def test_what_was_done_and_what_was_refused_are_sentences(responding: Responding) -> None:
    done = responding.ask(agree())
    assert (done.success, done.message) == (True, 'it was done.')
    refused = responding.ask(refuse())
    assert (refused.success, refused.message) == (False, 'that cannot be.')


@pytest.mark.parametrize(
    'error', [RequestError('no such label'), FileNotFoundError('no such file')]
)
def test_what_is_refused_is_logged(
    responding: Responding, capfd: pytest.CaptureFixture[str], error: Exception
) -> None:
    async def refuse() -> str:
        raise error

    assert responding.ask(refuse()).message == f'{error}.'
    (line,) = capfd.readouterr().err.splitlines()
    assert line.endswith(f'request refused: {error}.')


def test_a_bug_is_reported_and_logged_and_the_next_request_works(
    responding: Responding, capfd: pytest.CaptureFixture[str]
) -> None:
    broken = responding.ask(break_down())
    assert not broken.success
    assert broken.message == 'Internal error, see the log of the node: "KeyError(\'a bug\')".'
    assert "raise KeyError('a bug')" in capfd.readouterr().err
    assert responding.ask(agree()).success


def test_what_fails_because_ros_has_ended_is_no_bug(
    responding: Responding, capfd: pytest.CaptureFixture[str]
) -> None:
    async def end_and_break_down() -> str:
        rclpy.shutdown(context=responding.context)
        return await break_down()

    response = Trigger.Response()
    with pytest.raises(StopIteration):
        responding.responses.fill(response, end_and_break_down()).send(None)
    assert (response.success, response.message) == (False, DEACTIVATED)
    assert 'KeyError' not in capfd.readouterr().err


def test_work_that_was_cancelled_is_a_deactivated_node(responding: Responding) -> None:
    cancelled: Future[Any] = Future()
    cancelled.cancel()
    refused = responding.ask(result_of(responding.node, cancelled))
    assert (refused.success, refused.message) == (False, f'{DEACTIVATED}.')
