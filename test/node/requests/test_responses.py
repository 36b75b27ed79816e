# Copyright 2026 edgetpu_retrain contributors
#
# Licensed under the Apache License, Version 2.0 (the "License");
# you may not use this file except in compliance with the License.
# You may obtain a copy of the License at
#
#     http://www.apache.org/licenses/LICENSE-2.0
#
# Unless required by applicable law or agreed to in writing, software
# distributed under the License is distributed on an "AS IS" BASIS,
# WITHOUT WARRANTIES OR CONDITIONS OF ANY KIND, either express or implied.
# See the License for the specific language governing permissions and
# limitations under the License.
"""What a person is answered when a request cannot be met, whatever the reason."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import Future
from typing import Any

from edgetpu_retrain.errors import RequestError
from edgetpu_retrain.node.requests.responses import DEACTIVATED, ServiceAnswers
import pytest
import rclpy
from std_srvs.srv import Trigger
from support.lone_node import LoneNode


class Answering(LoneNode):
    """A node whose services answer, on an executor that spins while there is something to do."""

    def __init__(self) -> None:
        super().__init__('answering')
        self.answers = ServiceAnswers(self.node)

    def ask(self, work: Any) -> Any:
        return self.run(self.answers.fill, Trigger.Response(), work)


@pytest.fixture
def answering() -> Iterator[Answering]:
    answering = Answering()
    yield answering
    answering.close()


async def agree() -> str:
    return 'it was done'


async def refuse() -> str:
    raise RequestError('that cannot be')


async def break_down() -> str:
    raise KeyError('a bug')


def test_what_was_done_and_what_was_refused_are_sentences(answering: Answering) -> None:
    done = answering.ask(agree())
    assert (done.success, done.message) == (True, 'it was done.')
    refused = answering.ask(refuse())
    assert (refused.success, refused.message) == (False, 'that cannot be.')


def test_a_bug_is_told_and_logged_and_the_next_request_answered(
    answering: Answering, capfd: pytest.CaptureFixture[str]
) -> None:
    broken = answering.ask(break_down())
    assert not broken.success
    assert broken.message == 'Internal error, see the log of the node: "KeyError(\'a bug\')".'
    assert "raise KeyError('a bug')" in capfd.readouterr().err
    assert answering.ask(agree()).success


def test_what_fails_because_ros_has_ended_is_no_bug(
    answering: Answering, capfd: pytest.CaptureFixture[str]
) -> None:
    async def end_and_break_down() -> str:
        rclpy.shutdown(context=answering.context)
        return await break_down()

    response = Trigger.Response()
    with pytest.raises(StopIteration):
        answering.answers.fill(response, end_and_break_down()).send(None)
    assert (response.success, response.message) == (False, DEACTIVATED)
    assert 'KeyError' not in capfd.readouterr().err


def test_work_that_was_cancelled_is_a_deactivated_node(answering: Answering) -> None:
    cancelled: Future[Any] = Future()
    cancelled.cancel()
    refused = answering.ask(answering.answers.ended(cancelled))
    assert (refused.success, refused.message) == (False, f'{DEACTIVATED}.')
