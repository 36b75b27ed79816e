# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
"""Converts exceptions to error responses with an HTTP status and a message."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from html import escape
import logging

from aiohttp import web
from edgetpu_retrain.errors import RequestError, RetrainError
from edgetpu_retrain.page.refused import RefusedError
from edgetpu_retrain.wording import quoted, sentence

LOGGER = logging.getLogger(__name__)

_PAGE = (
    '<!doctype html><html lang="en"><meta charset="utf-8">'
    '<meta name="viewport" content="width=device-width">'
    '<meta name="color-scheme" content="light dark"><title>edgetpu_retrain</title><p>{}</p>'
)

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


@web.middleware
async def in_sentences(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Convert exceptions of handlers to error responses; a middleware of aiohttp."""
    try:
        return await handler(request)
    except web.HTTPException as error:
        if error.status < 400:
            raise
        return _response(request, error.status, _http_problem(request, error))
    except RetrainError as error:
        return _response(request, _status(error), str(error))
    except ConnectionError:
        raise  # the browser has disconnected
    except Exception:
        LOGGER.exception('%s failed', quoted(request.path))
        return _response(request, 500, 'the page has a fault: its log on the robot has more')


def _status(error: RetrainError) -> int:
    if isinstance(error, RefusedError):
        return error.status
    if isinstance(error, RequestError):
        return 400
    # Only RetrainClientError has the attribute response, which is None if the node does not
    # respond.  The class is not imported, because its module needs ROS.
    return 503 if getattr(error, 'response', '') is None else 409


def _http_problem(request: web.Request, error: web.HTTPException) -> str:
    path = quoted(request.path)
    if isinstance(error, web.HTTPNotFound):
        return f'there is no {path}: open /'
    if isinstance(error, web.HTTPMethodNotAllowed):
        return f'{path} does not take {error.method}: use {" or ".join(error.allowed_methods)}'
    return f'{path}: {error.reason}'


def _response(request: web.Request, status: int, message: str) -> web.Response:
    words = sentence(message)
    if request.headers.get('Sec-Fetch-Mode') == 'navigate':
        page = _PAGE.format(escape(words[:1].upper() + words[1:]))
        return web.Response(status=status, text=page, content_type='text/html')
    return web.json_response({'message': words}, status=status)
