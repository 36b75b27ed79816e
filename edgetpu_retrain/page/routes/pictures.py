# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
"""Pictures: the thumbnails of samples and questions."""

from __future__ import annotations

from collections.abc import Sequence

from aiohttp import web
from edgetpu_retrain.client import RetrainClient
from edgetpu_retrain.page.app_keys import ROBOT
from edgetpu_retrain.page.refused import RefusedError
from edgetpu_retrain.page.routes.fields import LARGEST_ID
from edgetpu_retrain.page.routes.picture_batches import CACHE_S, PictureBatches
from edgetpu_retrain_interfaces.srv import GetPictures

KINDS = ('samples', 'questions')

# Browsers cache a picture no longer than the server does, so an erased picture disappears soon.
_HEADERS = {'Cache-Control': f'private, max-age={CACHE_S:.0f}'}


def add_routes(app: web.Application) -> None:
    """Add the routes of pictures to an application, whose cleanup cancels their requests."""
    for kind in KINDS:
        pictures = _Pictures(app, kind)
        app.on_cleanup.append(pictures.close)
        path = f'/api/pictures/{kind}/{{number:[0-9]{{1,19}}}}.jpg'
        app.router.add_get(path, pictures.get, allow_head=False)


class _Pictures:
    """Serves the requests for pictures of samples, or of questions."""

    def __init__(self, app: web.Application, kind: str) -> None:
        self._app = app
        self._kind = kind
        self._batches = PictureBatches(self._fetch)

    async def close(self, _: web.Application) -> None:
        await self._batches.close()

    async def get(self, request: web.Request) -> web.Response:
        number = int(request.match_info['number'])
        jpeg = await self._batches.get(number) if 1 <= number <= LARGEST_ID else None
        if jpeg is None:
            one = self._kind.removesuffix('s')
            raise RefusedError(404, f'{one} {number} has no picture, or is not there any more')
        return web.Response(body=jpeg, content_type='image/jpeg', headers=_HEADERS)

    async def _fetch(self, numbers: Sequence[int]) -> list[tuple[int, bytes]]:
        fields = {'of': self._kind, 'ids': list(numbers)}
        found = await self._app[ROBOT].call(
            RetrainClient.call, GetPictures, 'get_pictures', **fields
        )
        return [(picture.id, bytes(picture.jpeg)) for picture in found.pictures]
