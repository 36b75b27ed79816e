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
"""The services about samples: add, remove, list."""

from __future__ import annotations

from collections.abc import Callable, Coroutine, Mapping
from concurrent.futures import Future
import time
import traceback
from typing import Any

from edgetpu_retrain.errors import RequestError, RetrainError
from edgetpu_retrain.node.captures import Capture, Captures
from edgetpu_retrain.node.executor_future import on_executor
from edgetpu_retrain.node.image_conversion import RgbArray
from edgetpu_retrain.node.parameters import NodeParameters
from edgetpu_retrain.node.sample_requests import check_camera, check_count, check_seconds
from edgetpu_retrain.node.sample_thread import SampleThread, stamp_ns
from edgetpu_retrain.node.wording import counted, sentence
from edgetpu_retrain.store.embedding_kind import RawArray
from edgetpu_retrain.store.label import check_label
from edgetpu_retrain_interfaces.srv import AddSample, ListSamples, RemoveSamples
from rclpy.callback_groups import ReentrantCallbackGroup
from rclpy.clock import Clock, ClockType
from rclpy.node import Node


class SampleServices:
    """
    Answers ``~/add_samples``, ``~/remove_samples`` and ``~/list_samples``.

    The callbacks are coroutines: while one waits for frames or for the disk, the executor goes
    on with everything else, other requests to the same service among it.

    Args:
        node: whose services they are.
        samples: reads and writes them.
        captures: the pending requests for frames.
        embed: asks the owner of the interpreter for a picture's embedding.
        topics: camera name to the topic of its images.
        parameters: answers the present values of the node's parameters.
    """

    def __init__(
        self,
        node: Node,
        samples: SampleThread,
        captures: Captures,
        embed: Callable[[RgbArray], Future[RawArray]],
        topics: Mapping[str, str],
        parameters: Callable[[], NodeParameters],
    ) -> None:
        self._node = node
        self._samples = samples
        self._captures = captures
        self._embed = embed
        self._topics = topics
        self._parameters = parameters
        # Time limits are of the wall, whatever a simulation does to the node's clock.
        self._clock = Clock(clock_type=ClockType.STEADY_TIME)
        # The node's own group would let a waiting coroutine keep out all other callbacks.
        self._group = ReentrantCallbackGroup()
        for kind, name, callback in (
            (AddSample, '~/add_samples', self._add_samples),
            (RemoveSamples, '~/remove_samples', self._remove_samples),
            (ListSamples, '~/list_samples', self._list_samples),
        ):
            node.create_service(kind, name, callback, callback_group=self._group)

    async def _add_samples(self, request: Any, response: Any) -> Any:
        await self._answer(response, self._add(request, response))
        await self._answer_totals(request.label, response)
        return response

    async def _remove_samples(self, request: Any, response: Any) -> Any:
        await self._answer(response, self._remove(request, response))
        await self._answer_totals(request.label, response)
        return response

    async def _list_samples(self, _request: Any, response: Any) -> Any:
        await self._answer(response, self._list(response))
        return response

    async def _answer(self, response: Any, work: Coroutine[Any, Any, str]) -> None:
        """Do the work; its answer or its error is what the person reads."""
        try:
            response.message = sentence(await work)
            response.success = True
        except RetrainError as error:
            response.message = sentence(error)
            self._node.get_logger().warning(f'request refused: {response.message}')
        except Exception as error:  # noqa: BLE001 - a bug must not end a robot's node
            response.message = f'Internal error, see the log of the node: {error!r}.'
            self._node.get_logger().error(traceback.format_exc())

    async def _answer_totals(self, label: str, response: Any) -> None:
        try:
            counts = await self._ended(self._samples.counts())
        except RetrainError as error:
            self._node.get_logger().error(str(error))
            return
        response.label_total = counts.get(label, 0)
        response.total = sum(counts.values())

    async def _add(self, request: Any, response: Any) -> str:
        label = check_label(request.label)
        camera = check_camera(request.camera, tuple(self._topics))
        count = check_count(request.count)
        min_interval_s = check_seconds('min_interval_s', request.min_interval_s)
        timeout_s = check_seconds('timeout_s', request.timeout_s)
        if len(request.image.data):
            return await self._add_picture(request, response, count)
        capture = Capture(label, camera, count, min_interval_s, since=time.monotonic())
        timeout_s = timeout_s or self._parameters().sample_timeout_s
        try:
            await self._capture(capture, timeout_s)
        finally:
            response.added = capture.stored
        if capture.stored < count:
            raise RequestError(self._why_incomplete(capture, timeout_s))
        return f'{_samples(count)} of {label!r} added'

    async def _capture(self, capture: Capture, timeout_s: float) -> None:
        """Wait until all frames are stored, one is refused, or the time is up."""
        self._captures.add(capture)
        timer = self._node.create_timer(
            timeout_s,
            lambda: self._captures.stop(capture),
            callback_group=self._group,
            clock=self._clock,
        )
        try:
            await self._ended(capture.done)
        finally:
            self._node.destroy_timer(timer)

    async def _add_picture(self, request: Any, response: Any, count: int) -> str:
        if count > 1:
            raise RequestError(
                f'count is {count}, but one picture came with the request: set count to 0 or 1'
            )
        await self._ended(
            self._samples.add_picture(
                request.label,
                bytes(request.image.data),
                self._embed,
                camera=request.camera,
                stamp_ns=stamp_ns(request.image.header),
            )
        )
        response.added = 1
        return f'The picture was added as a sample of {request.label!r}'

    async def _remove(self, request: Any, response: Any) -> str:
        removed = await self._ended(self._samples.remove(request.label, request.n))
        if not removed:
            counts = await self._ended(self._samples.counts())
            taught = ', '.join(f'{label!r} ({count})' for label, count in counts.items())
            of_label = f' of {request.label!r}' if request.label else ''
            raise RequestError(f'There are no samples{of_label}; there are: {taught or "none"}')
        response.removed = removed
        of_label = f' of {request.label!r}' if request.label else ''
        return f'{_samples(removed)}{of_label} removed'

    async def _list(self, response: Any) -> str:
        response.extractor = self._samples.extractor
        counts = await self._ended(self._samples.counts())
        response.labels = list(counts)
        response.counts = list(counts.values())
        response.total = sum(counts.values())
        return f'{counted(len(counts), "class", "classes")}, {_samples(response.total)}'

    async def _ended(self, future: Future[Any]) -> Any:
        return await on_executor(self._node, future)

    def _why_incomplete(self, capture: Capture, timeout_s: float) -> str:
        names = [capture.camera] if capture.camera else list(self._topics)
        topics = ', '.join(self._topics[name] for name in names)
        why = (
            f'no usable image came on {topics}: check the camera with ros2 topic hz'
            if not capture.stored
            else 'ask for fewer frames, a shorter min_interval_s or a longer timeout_s'
        )
        return (
            f'Time is up after {timeout_s:g} s: {capture.stored} of {capture.count} samples of '
            f'{capture.label!r} were added; {why}'
        )


def _samples(count: int) -> str:
    return counted(count, 'sample', 'samples')
