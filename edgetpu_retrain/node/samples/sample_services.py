# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
"""The services that add, remove and list samples."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
import time
from typing import Any

from edgetpu_retrain.errors import RequestError, RetrainError
from edgetpu_retrain.node.cameras.message_header import stamp_parts
from edgetpu_retrain.node.frames.captures import Capture
from edgetpu_retrain.node.requests.responses import ServiceResponses
from edgetpu_retrain.node.resources import NodeResources
from edgetpu_retrain.node.samples.sample_requests import add_request, AddRequest, list_request
from edgetpu_retrain.node.samples.sample_thread import SampleThread
from edgetpu_retrain.store.samples.sample import StoredSample
from edgetpu_retrain.wording import counted, named, quoted
from edgetpu_retrain_interfaces.msg import Sample
from edgetpu_retrain_interfaces.srv import AddSample, ListSamples, RemoveSamples
from rclpy.clock import Clock, ClockType
from rclpy.node import Node


class SampleServices:
    """
    Serves ``~/add_samples``, ``~/remove_samples`` and ``~/list_samples``.

    Args:
        node: has the services.
        active: returns the resources of the node; raises RequestError unless it is active.
    """

    def __init__(self, node: Node, active: Callable[[], NodeResources]) -> None:
        self._node = node
        self._active = active
        # Separate, because additions may wait for frames for a day.
        self._additions = ServiceResponses(node)
        self._additions.create_service(
            AddSample, '~/add_samples', self._add, lambda request: len(request.image.data)
        )
        self._responses = ServiceResponses(node)
        self._responses.create_service(RemoveSamples, '~/remove_samples', self._remove)
        self._responses.create_service(ListSamples, '~/list_samples', self._list)
        # The node's own clock may be simulated.
        self._clock = Clock(clock_type=ClockType.STEADY_TIME)

    async def _add(self, request: Any, response: Any) -> str:
        async with filled_totals(self._responses, self._active, request.label, response):
            resources = self._active()
            wanted = add_request(request, tuple(resources.topics), resources.parameters)
            if wanted.picture:
                return await self._add_picture(resources, wanted, response)
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
                await self._capture(resources, capture, wanted.timeout_s)
            finally:
                response.added, response.skipped = capture.stored, capture.skipped
            if capture.stored + capture.skipped < wanted.count:
                raise RequestError(_why_incomplete(resources, capture, wanted.timeout_s))
            return (
                f'{_samples(capture.stored)} of {wanted.label!r} added{_skipped(capture.skipped)}'
            )

    async def _capture(self, resources: NodeResources, capture: Capture, timeout_s: float) -> None:
        """Wait until all frames are stored, one is rejected, or the time is up."""
        resources.captures.add(capture)
        timer = self._node.create_timer(
            timeout_s,
            lambda: resources.captures.stop(capture),
            callback_group=self._additions.group,
            clock=self._clock,
        )
        try:
            await self._responses.result_of(capture.done)
        finally:
            self._node.destroy_timer(timer)

    async def _add_picture(
        self, resources: NodeResources, wanted: AddRequest, response: Any
    ) -> str:
        adding = resources.samples.add_picture(wanted, resources.workers.embed)
        sample = await self._responses.result_of(adding)
        response.added, response.skipped = int(sample > 0), int(not sample)
        if not sample:
            return f'The picture was not added: it is too near to a sample of {wanted.label!r}'
        return f'The picture was added as a sample of {wanted.label!r}'

    async def _remove(self, request: Any, response: Any) -> str:
        async with filled_totals(self._responses, self._active, request.label, response):
            resources = self._active()
            store, samples = resources.store, resources.samples
            removing = samples.change(
                lambda: store.remove(request.label, request.n, extractor=samples.extractor)
            )
            removed = await self._responses.result_of(removing)
            if not removed:
                raise RequestError(await no_samples(self._responses, samples, request.label))
            response.removed = removed
            of_label = f' of {request.label!r}' if request.label else ''
            return f'{_samples(removed)}{of_label} removed'

    async def _list(self, request: Any, response: Any) -> str:
        resources = self._active()
        store, samples = resources.store, resources.samples
        label, limit = list_request(request)
        response.extractor = samples.extractor
        counts = await self._responses.result_of(samples.counts())
        response.labels = list(counts)
        response.counts = list(counts.values())
        response.total = sum(counts.values())
        if label and label not in counts:
            raise RequestError(await no_samples(self._responses, samples, label))
        if limit:
            listing = samples.read(
                lambda: store.list_samples(label, limit, extractor=samples.extractor)
            )
            newest = await self._responses.result_of(listing)
            response.samples = [_sample_message(sample) for sample in newest]
        return f'{counted(len(counts), "class", "classes")}, {_samples(response.total)}'


@asynccontextmanager
async def filled_totals(
    responses: ServiceResponses,
    active: Callable[[], NodeResources],
    label: str,
    response: Any,
) -> AsyncIterator[None]:
    """Fill the totals of a response after the block, even if the block raises."""
    try:
        yield
    finally:
        # The response reports already that the node is not active or the store does not work.
        with suppress(RetrainError):
            counts = await responses.result_of(active().samples.counts())
            response.label_total = counts.get(label, 0)
            response.total = sum(counts.values())


async def no_samples(responses: ServiceResponses, samples: SampleThread, label: str) -> str:
    """Return the sentence that a label ('' = any) has no samples, with the labels that have."""
    counts = await responses.result_of(samples.counts())
    taught = named((f'{name!r} ({count})' for name, count in counts.items()), len(counts))
    of_label = f' of {quoted(label)}' if label else ''
    return f'There are no samples{of_label}; there are: {taught or "none"}'


def _why_incomplete(resources: NodeResources, capture: Capture, timeout_s: float) -> str:
    names = [capture.camera] if capture.camera else list(resources.topics)
    topics = ', '.join(resources.topics[name] for name in names)
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
