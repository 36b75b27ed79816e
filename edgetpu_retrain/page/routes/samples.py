# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
"""Samples: list, relabel, remove, undo, redo."""

from __future__ import annotations

from typing import Any

from aiohttp import web
from edgetpu_retrain.client import RetrainClientError
from edgetpu_retrain.page.refused import RefusedError
from edgetpu_retrain.page.routes.fields import body_of, ids, LARGEST_ID, query_of, text, whole
from edgetpu_retrain.page.routes.robot_access import announce, call
from edgetpu_retrain_interfaces.srv import ListSamples, RelabelSamples, RemoveSamples
from std_srvs.srv import Trigger

MAX_IDS = 10_000
"""Maximum number of samples in a request, as in the services."""

MAX_LISTED = 10_000
"""Maximum number of samples in a list, as in the service."""

routes = web.RouteTableDef()


@routes.get('/api/samples', allow_head=False)
async def list_samples(request: web.Request) -> web.Response:
    """List samples of one or all classes, newest first, and the number of samples per class."""
    query = query_of(
        request,
        label=text(default=''),
        before=whole(0, LARGEST_ID, default=0),
        limit=whole(0, MAX_LISTED, default=100),
    )
    try:
        found = await call(request, ListSamples, 'list_samples', **query)
    except RetrainClientError as error:
        found = error.response
        # A page may list a class whose last sample was just removed, which is not an error.
        if not getattr(found, 'extractor', '') or query['label'] in ('', *found.labels):
            raise
    return web.json_response(
        {
            'total': found.total,
            'labels': list(found.labels),
            'counts': list(found.counts),
            'samples': [_as_json(sample) for sample in found.samples],
        }
    )


@routes.post('/api/samples/relabel')
async def relabel(request: web.Request) -> web.Response:
    """Change the label of single samples, or of all samples of a class."""
    given = await body_of(
        request, ids=ids(MAX_IDS, default=[]), from_label=text(default=''), label=text()
    )
    _check_one_of(given, 'from_label')
    done = await call(
        request, RelabelSamples, 'relabel_samples',
        ids=given['ids'], label=given['from_label'], new_label=given['label'],
    )  # fmt: skip
    announce(request, 'samples')
    return web.json_response(
        {'message': done.message, 'relabelled': done.relabelled, 'total': done.total}
    )


@routes.post('/api/samples/remove')
async def remove(request: web.Request) -> web.Response:
    """Remove single samples, or all samples of a class."""
    given = await body_of(request, ids=ids(MAX_IDS, default=[]), label=text(default=''))
    _check_one_of(given, 'label')
    done = await call(request, RemoveSamples, 'remove_samples', **given)
    announce(request, 'samples')
    return web.json_response(
        {'message': done.message, 'removed': done.removed, 'total': done.total}
    )


@routes.post('/api/undo')
async def undo(request: web.Request) -> web.Response:
    """Undo the last change of samples or questions."""
    return await _trigger(request, 'undo')


@routes.post('/api/redo')
async def redo(request: web.Request) -> web.Response:
    """Redo the change that was undone last."""
    return await _trigger(request, 'redo')


async def _trigger(request: web.Request, service: str) -> web.Response:
    await body_of(request)
    done = await call(request, Trigger, service)
    announce(request, 'samples', 'questions')
    return web.json_response({'message': done.message})


def _check_one_of(given: dict[str, Any], label: str) -> None:
    if bool(given['ids']) == bool(given[label]):
        raise RefusedError(400, f'give either ids or {label}')


def seconds(stamp: Any) -> float:
    """Convert a ``builtin_interfaces/Time`` to seconds."""
    return float(stamp.sec + stamp.nanosec * 1e-9)


def _as_json(sample: Any) -> dict[str, Any]:
    return {
        'id': sample.id,
        'label': sample.label,
        'camera': sample.camera,
        'stamp': seconds(sample.stamp),
        'recording': sample.recording,
        'has_image': sample.has_image,
    }
