# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
"""The files of the page itself."""

from __future__ import annotations

from pathlib import Path

from aiohttp import web

# The tables of systems differ; with nosniff, a wrong type breaks the page.
_TYPES = {
    '.css': 'text/css',
    '.html': 'text/html',
    '.ico': 'image/x-icon',
    '.js': 'text/javascript',
    '.json': 'application/json',
    '.md': 'text/plain',
    '.png': 'image/png',
    '.svg': 'image/svg+xml',
    '.txt': 'text/plain',
    '.webmanifest': 'application/manifest+json',
}

_TEXT = ('text/', 'application/', 'image/svg')

_PREFIX = '/static'


def add_static_files(app: web.Application, folder: Path) -> None:
    """
    Serve the files that a folder has now below /static, and its index.html as the page itself.

    Browsers ask each time whether a file has changed (ETag), so that an update is seen at once.

    Args:
        app: the application.
        folder: the folder.
    """
    files = {
        path.relative_to(folder).as_posix(): path
        for path in folder.rglob('*')
        if path.suffix in _TYPES
    }

    async def file(request: web.Request) -> web.FileResponse:
        path = files.get(request.match_info.get('path', 'index.html'))
        if path is None:
            raise web.HTTPNotFound
        return _file(path)

    app.router.add_get('/', file)
    app.router.add_get(_PREFIX + '/{path:.+}', file)


def _file(path: Path) -> web.FileResponse:
    kind = _TYPES[path.suffix]
    charset = '; charset=utf-8' if kind.startswith(_TEXT) else ''
    headers = {'Content-Type': kind + charset, 'Cache-Control': 'no-cache'}
    return web.FileResponse(path, headers=headers)
