# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
"""The services that correct samples: relabel, undo, embed again."""

from __future__ import annotations

from collections.abc import Callable
import threading
from typing import Any

from edgetpu_retrain.errors import RequestError
from edgetpu_retrain.node.requests.background_thread import BackgroundThread
from edgetpu_retrain.node.requests.responses import ServiceResponses
from edgetpu_retrain.node.resources import NodeResources
from edgetpu_retrain.node.samples.reembedding import reembed
from edgetpu_retrain.node.samples.sample_requests import relabel_request
from edgetpu_retrain.node.samples.sample_services import filled_totals, no_samples
from edgetpu_retrain.wording import counted
from edgetpu_retrain_interfaces.srv import RelabelSamples
from rclpy.node import Node
from std_srvs.srv import Trigger


class CorrectionServices:
    """
    Serves ``~/relabel_samples``, ``~/undo`` and ``~/reembed_samples``.

    Args:
        node: has the services.
        active: returns the resources of the node; raises RequestError unless it is active.
    """

    def __init__(self, node: Node, active: Callable[[], NodeResources]) -> None:
        self._active = active
        # Embedding a whole store again takes minutes; other samples are stored meanwhile.
        self._thread = BackgroundThread('reembedding')
        self._is_reembedding = False
        self._stopping = threading.Event()
        self._responses = ServiceResponses(node)
        self._responses.create_service(RelabelSamples, '~/relabel_samples', self._relabel)
        self._responses.create_service(Trigger, '~/undo', self._undo)
        self._responses.create_service(Trigger, '~/reembed_samples', self._reembed)

    def stop(self) -> None:
        """Stop embedding after the current picture; another request continues it."""
        self._stopping.set()
        self._thread.stop()

    async def _relabel(self, request: Any, response: Any) -> str:
        async with filled_totals(self._responses, self._active, request.new_label, response):
            resources = self._active()
            store, samples = resources.store, resources.samples
            label, ids, new_label = relabel_request(request)
            relabelling = samples.change(
                lambda: (
                    store.relabel_class(label, new_label, extractor=samples.extractor)
                    if label
                    else store.relabel(ids, new_label)
                )
            )
            relabelled = await self._responses.result_of(relabelling)
            if not relabelled:
                raise RequestError(await no_samples(self._responses, samples, label))
            response.relabelled = relabelled
            what = counted(relabelled, 'sample is', 'samples are')
            return f'{what} labelled {new_label!r} now; train to apply this to the model'

    async def _undo(self, _request: Any, _response: Any) -> str:
        resources = self._active()
        undoing = resources.samples.change(
            lambda: resources.store.undo_last_addition(extractor=resources.samples.extractor)
        )
        undone = await self._responses.result_of(undoing)
        if not undone.samples:
            raise RequestError('There are no samples, so there is nothing to undo')
        return f'{counted(undone.samples, "sample", "samples")} of {undone.label!r} removed'

    async def _reembed(self, _request: Any, _response: Any) -> str:
        resources = self._active()
        if self._is_reembedding:
            raise RequestError('The samples are being embedded again: wait until that is done')
        self._stopping.clear()
        self._is_reembedding = True
        reembedding = self._thread.submit(
            reembed,
            resources.store,
            resources.samples.description,
            resources.workers.embed,
            self._stopping.is_set,
        )
        # Report the new counts.
        reembedding.add_done_callback(lambda _: resources.samples.change(lambda: None))
        try:
            message: str = await self._responses.result_of(reembedding)
        finally:
            self._is_reembedding = False
        return message
