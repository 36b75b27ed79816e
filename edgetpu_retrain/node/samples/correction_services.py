# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
"""The services that correct what was taught: relabel, undo, embed again."""

from __future__ import annotations

from collections.abc import Callable
import threading
from typing import Any

from edgetpu_retrain.errors import RequestError
from edgetpu_retrain.node.active_parts import ActiveParts
from edgetpu_retrain.node.requests.background_thread import BackgroundThread
from edgetpu_retrain.node.requests.responses import ServiceResponses
from edgetpu_retrain.node.samples.reembedding import reembed
from edgetpu_retrain.node.samples.sample_requests import relabel_request
from edgetpu_retrain.node.samples.sample_services import filled_totals, no_samples
from edgetpu_retrain.wording import counted
from edgetpu_retrain_interfaces.srv import RelabelSamples
from rclpy.callback_groups import ReentrantCallbackGroup
from rclpy.node import Node
from std_srvs.srv import Trigger


class CorrectionServices:
    """
    Serves ``~/relabel_samples``, ``~/undo`` and ``~/reembed_samples``.

    Args:
        node: whose services they are.
        active: returns what requests work with, or raises RequestError unless the node is active.
    """

    def __init__(self, node: Node, active: Callable[[], ActiveParts]) -> None:
        self._active = active
        self._responses = ServiceResponses(node)
        # Embedding a whole store again takes minutes; other samples are stored meanwhile.
        self._thread = BackgroundThread('reembedding')
        self._is_reembedding = False
        self._stopping = threading.Event()
        group = ReentrantCallbackGroup()
        for kind, name, callback in (
            (RelabelSamples, '~/relabel_samples', self._relabel_samples),
            (Trigger, '~/undo', self._undo),
            (Trigger, '~/reembed_samples', self._reembed_samples),
        ):
            node.create_service(kind, name, callback, callback_group=group)

    def stop(self) -> None:
        """End what runs after the picture in hand; it can be asked for again."""
        self._stopping.set()
        self._thread.stop()

    async def _relabel_samples(self, request: Any, response: Any) -> Any:
        return await self._responses.fill(response, self._relabel(request, response))

    async def _undo(self, _request: Any, response: Any) -> Any:
        return await self._responses.fill(response, self._undo_last_addition())

    async def _reembed_samples(self, _request: Any, response: Any) -> Any:
        return await self._responses.fill(response, self._reembed())

    async def _relabel(self, request: Any, response: Any) -> str:
        async with filled_totals(self._responses, self._active, request.new_label, response):
            samples = self._active().samples
            label, ids, new_label = relabel_request(request)
            if label:
                change = samples.relabel_class(label, new_label)
            else:
                change = samples.relabel(ids, new_label)
            relabelled = await self._responses.result_of(change)
            if not relabelled:
                raise RequestError(await no_samples(self._responses, samples, label))
            response.relabelled = relabelled
            what = counted(relabelled, 'sample is', 'samples are')
            return f'{what} labelled {new_label!r} now; train for the model to know'

    async def _undo_last_addition(self) -> str:
        undone = await self._responses.result_of(self._active().samples.undo())
        if not undone.samples:
            raise RequestError('There are no samples, so there is nothing to undo')
        return f'{counted(undone.samples, "sample", "samples")} of {undone.label!r} removed'

    async def _reembed(self) -> str:
        parts = self._active()
        if self._is_reembedding:
            raise RequestError('The samples are being embedded again: wait for its end')
        self._stopping.clear()
        self._is_reembedding = True
        reembedding = self._thread.submit(
            reembed,
            parts.store,
            parts.samples.description,
            parts.workers.embed,
            self._stopping.is_set,
        )
        reembedding.add_done_callback(lambda _: parts.samples.report_counts())
        try:
            message: str = await self._responses.result_of(reembedding)
        finally:
            self._is_reembedding = False
        return message
