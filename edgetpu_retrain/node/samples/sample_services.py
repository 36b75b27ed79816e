# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
"""The services that add, list and correct samples."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
import threading
import time
from typing import Any

from edgetpu_retrain.errors import RequestError, RetrainError
from edgetpu_retrain.node.cameras.message_header import stamp_parts
from edgetpu_retrain.node.frames.captures import Capture
from edgetpu_retrain.node.parameters.values import NodeParameters
from edgetpu_retrain.node.requests.background_thread import BackgroundThread
from edgetpu_retrain.node.requests.responses import result_of, ServiceResponses
from edgetpu_retrain.node.resources import NodeResources
from edgetpu_retrain.node.samples.capture_messages import capture_result, why_closed
from edgetpu_retrain.node.samples.recording_log import RecordingLog
from edgetpu_retrain.node.samples.reembedding import reembed
from edgetpu_retrain.node.samples.sample_requests import (
    add_request,
    AddRequest,
    list_request,
    relabel_request,
    remove_request,
)
from edgetpu_retrain.node.samples.simulated_time import (
    check_time_has_begun,
    ended_by_a_jump,
    simulated_time,
)
from edgetpu_retrain.pictures.picture_source import BITS, PictureSource
from edgetpu_retrain.store.samples.change import Change, NOTHING_TO_REDO, NOTHING_TO_UNDO
from edgetpu_retrain.store.samples.sample import Erased, StoredSample
from edgetpu_retrain.store.samples.sample_store import SampleStore
from edgetpu_retrain.wording import counted, named, quoted
from edgetpu_retrain_interfaces.msg import Sample
from edgetpu_retrain_interfaces.srv import AddSample, ListSamples, RelabelSamples, RemoveSamples
from rclpy.clock import Clock, ClockType
from rclpy.node import Node
from std_srvs.srv import Trigger


class SampleServices:
    """
    The services for samples.

    Args:
        node: creates the services.
        active: returns the node's resources; raises RequestError unless the node is active.
    """

    def __init__(self, node: Node, active: Callable[[], NodeResources]) -> None:
        self._node = node
        self._active = active
        # Requests to add samples may wait for frames for a day.  They have their own limits on
        # pending requests, so that they do not block the other services.
        self._additions = ServiceResponses(node)
        recordings = RecordingLog()
        self._additions.create_service(
            AddSample,
            '~/add_samples',
            self._add,
            lambda request: len(request.image.data),
            line=lambda request, response: recordings.line(request, response, time.monotonic()),
        )
        self._responses = ServiceResponses(node)
        self._responses.create_service(RemoveSamples, '~/remove_samples', self._remove)
        self._responses.create_service(ListSamples, '~/list_samples', self._list, changes=False)
        self._responses.create_service(RelabelSamples, '~/relabel_samples', self._relabel)
        self._responses.create_service(Trigger, '~/undo', self._undo)
        self._responses.create_service(Trigger, '~/redo', self._redo)
        self._responses.create_service(Trigger, '~/reembed_samples', self._reembed)
        self._pictures = PictureSource(
            lambda text: node.get_logger().warning(f'a picture in a request: {text}')
        )
        # A separate thread, because embedding all samples again takes minutes.
        self._reembedding = BackgroundThread('reembedding')
        self._is_reembedding = False
        self._stopping = threading.Event()
        # Without use_sim_time, the node's clock is the system clock, which can jump.
        self._steady_clock = Clock(clock_type=ClockType.STEADY_TIME)

    def stop(self) -> None:
        """Stop ``~/reembed_samples`` after the current picture; a new request resumes the work."""
        self._stopping.set()
        self._reembedding.stop()

    async def _add(self, request: Any, response: Any) -> str:
        async with self._filled_totals(request.label, response):
            resources = self._active()
            # A picture needs no camera, but may name one.
            needs_camera = request.camera or not len(request.image.data)
            if needs_camera and (why := why_closed(request.camera, resources)):
                raise RequestError(why)
            wanted = add_request(
                request,
                resources.parameters.camera_names,
                resources.parameters,
                resources.samples.extractor,
            )
            if wanted.picture:
                return await self._add_picture(resources, wanted, response)
            capture = Capture(wanted, time.monotonic())
            try:
                await self._capture(resources, capture)
            finally:
                response.added, response.skipped = capture.stored, capture.skipped
            return capture_result(capture, resources)

    async def _capture(self, resources: NodeResources, capture: Capture) -> None:
        """Wait until the capture is complete, fails, or its time is up."""
        check_time_has_begun(self._node)
        is_simulated = simulated_time(self._node) is not None
        captures = resources.captures
        captures.add(capture)
        timer = self._node.create_timer(
            capture.wanted.timeout_s,
            lambda: captures.stop(capture),
            callback_group=self._additions.group,
            clock=self._node.get_clock() if is_simulated else self._steady_clock,
        )
        try:
            with ended_by_a_jump(self._node, lambda error: captures.end(capture, error)):
                await result_of(self._node, capture.done)
        finally:
            self._node.destroy_timer(timer)

    async def _add_picture(
        self, resources: NodeResources, wanted: AddRequest, response: Any
    ) -> str:
        bits = _bits_of(wanted.camera, resources.parameters)
        source = PictureSource(self._pictures.report_once, bits, '<camera>.bits')
        adding = resources.samples.add_picture(wanted, resources.workers.embed, source)
        sample = await result_of(self._node, adding)
        response.added, response.skipped = int(sample > 0), int(not sample)
        if not sample:
            return f'The picture was not added: it is a near copy of a sample of {wanted.label!r}'
        return f'The picture was added as a sample of {wanted.label!r}'

    async def _remove(self, request: Any, response: Any) -> str:
        label, newest = request.label, request.n
        async with self._filled_totals(label, response):
            ids = remove_request(request)
            if request.forever:
                return await self._erase(label, newest, ids, response)
            response.removed = await self._change(
                lambda store, extractor: (
                    store.remove_samples(ids)
                    if ids
                    else store.remove(label, newest, extractor=extractor)
                )
            )
            if not response.removed:
                raise RequestError(self._no_samples(label, await self._counts()))
            of_label = f' of {label!r}' if label else ''
            return f'{_samples(response.removed)}{of_label} removed'

    async def _erase(self, label: str, newest: int, ids: tuple[int, ...], response: Any) -> str:
        erased: Erased = await self._change(
            lambda store, extractor: (
                store.erase_samples(ids)
                if ids
                else store.erase(label, newest, extractor=extractor)
            )
        )
        response.removed = erased.samples
        if not erased.samples + erased.questions:
            if label or newest:
                raise RequestError(self._no_samples(label, await self._counts()))
            raise RequestError('No removed samples are kept, so there is nothing to erase')
        of_label = f' of {label!r}' if label else ''
        what = f'{_samples(erased.samples)}{of_label}{erased.of_questions}'
        return f'{what} erased for ever{erased.remark}'

    async def _list(self, request: Any, response: Any) -> str:
        resources = self._active()
        store, samples = resources.store, resources.samples
        label, limit, before = list_request(request)
        response.extractor = samples.extractor
        counts = await self._counts()
        response.labels = list(counts)
        response.counts = list(counts.values())
        response.total = sum(counts.values())
        if label and label not in counts:
            raise RequestError(self._no_samples(label, counts))
        if limit:
            listing = samples.read(
                lambda: store.list_samples(
                    label, limit, extractor=samples.extractor, before=before
                )
            )
            newest = await result_of(self._node, listing)
            response.samples = [_sample_message(sample) for sample in newest]
        problems = '' if counts else resources.camera_problems()
        return (
            f'{counted(len(counts), "class", "classes")}, {_samples(response.total)}'
            f'{problems and f". {problems}"}'
        )

    async def _relabel(self, request: Any, response: Any) -> str:
        async with self._filled_totals(request.new_label, response):
            label, ids, new_label = relabel_request(request)
            response.relabelled = await self._change(
                lambda store, extractor: (
                    store.relabel_class(label, new_label, extractor=extractor)
                    if label
                    else store.relabel(ids, new_label)
                )
            )
            if not response.relabelled:
                raise RequestError(self._no_samples(label, await self._counts()))
            what = counted(response.relabelled, 'sample is', 'samples are')
            return f'{what} labelled {new_label!r} now; train to apply this to the model'

    async def _undo(self, _request: Any, _response: Any) -> str:
        change: Change | None = await self._change(lambda store, _: store.undo())
        if change is None:
            raise RequestError(NOTHING_TO_UNDO)
        return f'Undid {change}'

    async def _redo(self, _request: Any, _response: Any) -> str:
        change: Change | None = await self._change(lambda store, _: store.redo())
        if change is None:
            raise RequestError(NOTHING_TO_REDO)
        return f'Redid {change}'

    async def _reembed(self, _request: Any, _response: Any) -> str:
        resources = self._active()
        if self._is_reembedding:
            raise RequestError('The samples are being embedded again: wait until that is done')
        self._stopping.clear()
        self._is_reembedding = True
        reembedding = self._reembedding.submit(
            reembed,
            resources.store,
            resources.samples.description,
            resources.workers.embed,
            self._stopping.is_set,
        )
        # An empty change updates the published counts.
        reembedding.add_done_callback(lambda _: resources.samples.change(lambda: None))
        try:
            message: str = await result_of(self._node, reembedding)
        finally:
            self._is_reembedding = False
        return message

    async def _change(self, function: Callable[[SampleStore, str], Any]) -> Any:
        """Call a function that changes the store, in the SampleThread; return its result."""
        resources = self._active()
        return await result_of(
            self._node,
            resources.samples.change(
                lambda: function(resources.store, resources.samples.extractor)
            ),
        )

    def _no_samples(self, label: str, counts: dict[str, int]) -> str:
        """Return a message that a label ('' = any) has no samples, with the labels that exist."""
        taught = named([f'{name!r} ({count})' for name, count in counts.items()])
        of_label = f' of {quoted(label)}' if label else ''
        # A camera may be the reason why samples are missing.
        why = taught or f'none. {self._active().camera_problems()}'.strip()
        return f'There are no samples{of_label}; there are: {why}'

    async def _counts(self) -> dict[str, int]:
        counts: dict[str, int] = await result_of(self._node, self._active().samples.counts())
        return counts

    @asynccontextmanager
    async def _filled_totals(self, label: str, response: Any) -> AsyncIterator[None]:
        """Fill the totals of a response after the block, even if the block raises."""
        try:
            yield
        finally:
            # If counting fails, leave the totals 0: the block's own result is more important.
            with suppress(RetrainError):
                counts = await self._counts()
                response.label_total = counts.get(label, 0)
                response.total = sum(counts.values())


def _bits_of(camera: str, parameters: NodeParameters) -> int:
    """Return ``bits`` of the named camera, or of the only camera, or else the default."""
    cameras = parameters.cameras
    found = [each.bits for each in cameras if each.name == camera or len(cameras) == 1]
    return found[0] if found else BITS[1]


def _sample_message(sample: StoredSample) -> Sample:
    message = Sample(
        id=sample.sample_id,
        label=sample.label,
        camera=sample.camera,
        has_image=sample.has_image,
        recording=sample.recording,
    )
    message.stamp.sec, message.stamp.nanosec = stamp_parts(sample.stamp_ns)
    return message


def _samples(count: int) -> str:
    return counted(count, 'sample', 'samples')
