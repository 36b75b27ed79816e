# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
"""The services that teach: add, remove and list samples."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
import time
from typing import Any

from edgetpu_retrain.errors import RequestError, RetrainError
from edgetpu_retrain.node.active_parts import ActiveParts
from edgetpu_retrain.node.cameras.message_header import stamp_parts
from edgetpu_retrain.node.frames.captures import Capture
from edgetpu_retrain.node.requests.responses import ServiceResponses
from edgetpu_retrain.node.samples.sample_requests import add_request, AddRequest, list_request
from edgetpu_retrain.node.samples.sample_thread import SampleThread
from edgetpu_retrain.store.samples.sample import StoredSample
from edgetpu_retrain.wording import counted, named, quoted
from edgetpu_retrain_interfaces.msg import Sample
from edgetpu_retrain_interfaces.srv import AddSample, ListSamples, RemoveSamples
from rclpy.callback_groups import ReentrantCallbackGroup
from rclpy.clock import Clock, ClockType
from rclpy.node import Node


class SampleServices:
    """
    Serves ``~/add_samples``, ``~/remove_samples`` and ``~/list_samples``.

    The callbacks are coroutines: while one waits for frames or for the disk, the executor goes
    on with everything else, other requests to the same service among it.

    Args:
        node: whose services they are.
        active: returns what requests work with, or raises RequestError unless the node is active.
    """

    def __init__(self, node: Node, active: Callable[[], ActiveParts]) -> None:
        self._node = node
        self._active = active
        self._responses = ServiceResponses(node)
        # Apart, because they may wait for frames for a day.
        self._additions = ServiceResponses(node)
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
        work = self._add(request, response)
        return await self._additions.fill(response, work, size=len(request.image.data))

    async def _remove_samples(self, request: Any, response: Any) -> Any:
        return await self._responses.fill(response, self._remove(request, response))

    async def _list_samples(self, request: Any, response: Any) -> Any:
        return await self._responses.fill(response, self._list(request, response))

    async def _add(self, request: Any, response: Any) -> str:
        async with filled_totals(self._responses, self._active, request.label, response):
            parts = self._active()
            wanted = add_request(request, tuple(parts.topics), parts.parameters())
            if wanted.picture:
                return await self._add_picture(parts, wanted, response)
            capture = Capture(
                wanted.label,
                wanted.camera,
                wanted.count,
                wanted.min_interval_s,
                time.monotonic(),
                wanted.region,
                wanted.min_novelty,
            )
            try:
                await self._capture(parts, capture, wanted.timeout_s)
            finally:
                response.added, response.skipped = capture.stored, capture.skipped
            if capture.stored + capture.skipped < wanted.count:
                raise RequestError(_why_incomplete(parts, capture, wanted.timeout_s))
            return (
                f'{_samples(capture.stored)} of {wanted.label!r} added{_skipped(capture.skipped)}'
            )

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
            await self._responses.result_of(capture.done)
        finally:
            self._node.destroy_timer(timer)

    async def _add_picture(self, parts: ActiveParts, wanted: AddRequest, response: Any) -> str:
        sample = await self._responses.result_of(
            parts.samples.add_picture(
                wanted.label,
                wanted.picture,
                parts.workers.embed,
                region=wanted.region,
                camera=wanted.camera,
                stamp_ns=wanted.stamp_ns,
                min_novelty=wanted.min_novelty,
            )
        )
        response.added, response.skipped = int(sample > 0), int(not sample)
        if not sample:
            return f'The picture was not added: it is too near to a sample of {wanted.label!r}'
        return f'The picture was added as a sample of {wanted.label!r}'

    async def _remove(self, request: Any, response: Any) -> str:
        async with filled_totals(self._responses, self._active, request.label, response):
            samples = self._active().samples
            removed = await self._responses.result_of(samples.remove(request.label, request.n))
            if not removed:
                raise RequestError(await no_samples(self._responses, samples, request.label))
            response.removed = removed
            of_label = f' of {request.label!r}' if request.label else ''
            return f'{_samples(removed)}{of_label} removed'

    async def _list(self, request: Any, response: Any) -> str:
        samples = self._active().samples
        label, limit = list_request(request)
        response.extractor = samples.extractor
        counts = await self._responses.result_of(samples.counts())
        response.labels = list(counts)
        response.counts = list(counts.values())
        response.total = sum(counts.values())
        if label and label not in counts:
            raise RequestError(await no_samples(self._responses, samples, label))
        if limit:
            newest = await self._responses.result_of(samples.newest(label, limit))
            response.samples = [_sample_message(sample) for sample in newest]
        return f'{counted(len(counts), "class", "classes")}, {_samples(response.total)}'


@asynccontextmanager
async def filled_totals(
    responses: ServiceResponses,
    active: Callable[[], ActiveParts],
    label: str,
    response: Any,
) -> AsyncIterator[None]:
    """Fill the totals of a response after the block, whether or not that raises."""
    try:
        yield
    finally:
        # The response itself reports a node that is not active or a store that does not work.
        with suppress(RetrainError):
            counts = await responses.result_of(active().samples.counts())
            response.label_total = counts.get(label, 0)
            response.total = sum(counts.values())


async def no_samples(responses: ServiceResponses, samples: SampleThread, label: str) -> str:
    """Return the sentence that there are no samples of a label ('' = at all) but others."""
    counts = await responses.result_of(samples.counts())
    taught = named((f'{name!r} ({count})' for name, count in counts.items()), len(counts))
    of_label = f' of {quoted(label)}' if label else ''
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
    message.stamp.sec, message.stamp.nanosec = stamp_parts(sample.stamp_ns)
    return message


def _skipped(count: int) -> str:
    return f', {count} skipped because they are too near to others of it' if count else ''


def _samples(count: int) -> str:
    return counted(count, 'sample', 'samples')
