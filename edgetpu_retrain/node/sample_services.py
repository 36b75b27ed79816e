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
"""The services that teach: add, remove and list samples."""

from __future__ import annotations

from collections.abc import Callable
import contextlib
import time
from typing import Any

from edgetpu_retrain.errors import RequestError, RetrainError
from edgetpu_retrain.node.active_parts import ActiveParts
from edgetpu_retrain.node.captures import Capture
from edgetpu_retrain.node.sample_requests import (
    check_camera,
    check_count,
    check_novelty,
    check_seconds,
)
from edgetpu_retrain.node.sample_thread import NANOSECONDS, SampleThread, stamp_ns
from edgetpu_retrain.node.service_answers import ServiceAnswers
from edgetpu_retrain.pictures.region import Region
from edgetpu_retrain.store.label import check_label
from edgetpu_retrain.store.samples import StoredSample
from edgetpu_retrain.wording import counted
from edgetpu_retrain_interfaces.msg import Sample
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
        active: answers what works while the node is active, or raises RequestError.
    """

    def __init__(self, node: Node, active: Callable[[], ActiveParts]) -> None:
        self._node = node
        self._active = active
        self._answers = ServiceAnswers(node)
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
        await self._answers.fill(response, self._add(request, response))
        return await tell_totals(self._answers, self._active, request.label, response)

    async def _remove_samples(self, request: Any, response: Any) -> Any:
        await self._answers.fill(response, self._remove(request, response))
        return await tell_totals(self._answers, self._active, request.label, response)

    async def _list_samples(self, request: Any, response: Any) -> Any:
        return await self._answers.fill(response, self._list(request, response))

    async def _add(self, request: Any, response: Any) -> str:
        parts = self._active()
        label = check_label(request.label)
        camera = check_camera(request.camera, tuple(parts.topics))
        count = check_count(request.count)
        min_interval_s = check_seconds('min_interval_s', request.min_interval_s)
        timeout_s = check_seconds('timeout_s', request.timeout_s)
        min_novelty = check_novelty(request.min_novelty) or parts.parameters().min_novelty
        region = Region.from_message(request.roi)
        if len(request.image.data):
            return await self._add_picture(parts, request, response, count, region, min_novelty)
        capture = Capture(
            label, camera, count, min_interval_s, time.monotonic(), region, min_novelty
        )
        timeout_s = timeout_s or parts.parameters().sample_timeout_s
        try:
            await self._capture(parts, capture, timeout_s)
        finally:
            response.added, response.skipped = capture.stored, capture.skipped
        if capture.stored + capture.skipped < count:
            raise RequestError(_why_incomplete(parts, capture, timeout_s))
        return f'{_samples(capture.stored)} of {label!r} added{_skipped(capture.skipped)}'

    async def _capture(self, parts: ActiveParts, capture: Capture, timeout_s: float) -> None:
        """Wait until all frames are stored, one is refused, or the time is up."""
        parts.captures.add(capture)
        timer = self._node.create_timer(
            timeout_s,
            lambda: parts.captures.stop(capture),
            callback_group=self._group,
            clock=self._clock,
        )
        try:
            await self._answers.ended(capture.done)
        finally:
            self._node.destroy_timer(timer)

    async def _add_picture(
        self,
        parts: ActiveParts,
        request: Any,
        response: Any,
        count: int,
        region: Region | None,
        min_novelty: float,
    ) -> str:
        if count > 1:
            raise RequestError(
                f'count is {count}, but one picture came with the request: set count to 0 or 1'
            )
        sample = await self._answers.ended(
            parts.samples.add_picture(
                request.label,
                bytes(request.image.data),
                parts.workers.embed,
                region=region,
                camera=request.camera,
                stamp_ns=stamp_ns(request.image.header),
                min_novelty=min_novelty,
            )
        )
        response.added, response.skipped = int(sample > 0), int(not sample)
        if not sample:
            return f'The picture was not added: it is too near to a sample of {request.label!r}'
        return f'The picture was added as a sample of {request.label!r}'

    async def _remove(self, request: Any, response: Any) -> str:
        samples = self._active().samples
        removed = await self._answers.ended(samples.remove(request.label, request.n))
        if not removed:
            raise RequestError(await no_samples(self._answers, samples, request.label))
        response.removed = removed
        of_label = f' of {request.label!r}' if request.label else ''
        return f'{_samples(removed)}{of_label} removed'

    async def _list(self, request: Any, response: Any) -> str:
        samples = self._active().samples
        response.extractor = samples.extractor
        counts = await self._answers.ended(samples.counts())
        response.labels = list(counts)
        response.counts = list(counts.values())
        response.total = sum(counts.values())
        if request.label and request.label not in counts:
            raise RequestError(await no_samples(self._answers, samples, request.label))
        if request.limit:
            newest = await self._answers.ended(samples.newest(request.label, request.limit))
            response.samples = [_sample_message(sample) for sample in newest]
        return f'{counted(len(counts), "class", "classes")}, {_samples(response.total)}'


async def tell_totals(
    answers: ServiceAnswers, active: Callable[[], ActiveParts], label: str, response: Any
) -> Any:
    """Fill ``label_total`` and ``total`` of a response, as far as it is known, and return it."""
    # Whoever asked is told by the answer itself of a node or a store that does not work.
    with contextlib.suppress(RetrainError):
        counts = await answers.ended(active().samples.counts())
        response.label_total = counts.get(label, 0)
        response.total = sum(counts.values())
    return response


async def no_samples(answers: ServiceAnswers, samples: SampleThread, label: str) -> str:
    """Return the sentence that there are no samples of a label ('' = at all) but others."""
    counts = await answers.ended(samples.counts())
    taught = ', '.join(f'{name!r} ({count})' for name, count in counts.items())
    of_label = f' of {label!r}' if label else ''
    return f'There are no samples{of_label}; there are: {taught or "none"}'


def _why_incomplete(parts: ActiveParts, capture: Capture, timeout_s: float) -> str:
    names = [capture.camera] if capture.camera else list(parts.topics)
    topics = ', '.join(parts.topics[name] for name in names)
    why = (
        'ask for fewer frames, a shorter min_interval_s or a longer timeout_s'
        if capture.stored + capture.skipped
        else f'no usable image came on {topics}: check the camera with ros2 topic hz'
    )
    return (
        f'Time is up after {timeout_s:g} s: {capture.stored} of {capture.count} samples of '
        f'{capture.label!r} were added{_skipped(capture.skipped)}; {why}'
    )


def _sample_message(sample: StoredSample) -> Sample:
    message = Sample(
        id=sample.sample_id, label=sample.label, camera=sample.camera, has_image=sample.has_image
    )
    message.stamp.sec, message.stamp.nanosec = divmod(sample.stamp_ns, NANOSECONDS)
    return message


def _skipped(count: int) -> str:
    return f', {count} skipped because they are too near to others of it' if count else ''


def _samples(count: int) -> str:
    return counted(count, 'sample', 'samples')
