# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
"""Serves the static files of the page."""

from __future__ import annotations

from dataclasses import dataclass
import gzip
import hashlib
from pathlib import Path

from aiohttp import web

# The module mimetypes is not used, because its tables differ between systems.  Browsers reject a
# script or style sheet with a wrong type (header X-Content-Type-Options: nosniff).
_TYPES = {
    '': 'text/plain',
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


@dataclass(frozen=True)
class _File:
    kind: str
    tag: str
    plain: bytes
    packed: bytes

    @classmethod
    def read(cls, path: Path) -> _File:
        plain = path.read_bytes()
        kind = _TYPES[path.suffix]
        charset = '; charset=utf-8' if kind.startswith(_TEXT) else ''
        tag = f'"{hashlib.sha256(plain).hexdigest()[:32]}"'
        return cls(kind + charset, tag, plain, gzip.compress(plain, mtime=0))


def add_static_files(app: web.Application, folder: Path) -> None:
    """
    Serve the files of a folder under the path /static, and its index.html at /.

    The files are read once and kept in memory.  Browsers that accept gzip receive them compressed,
    because a robot's Wi-Fi may be slow.  Browsers revalidate each file by its ETag, so the
    next load of the page shows an update once the server has been restarted.

    Args:
        app: the application.
        folder: the folder, including its subfolders; files with a suffix that is not in ``_TYPES``
            are not served.
    """
    files = {
        path.relative_to(folder).as_posix(): _File.read(path)
        for path in folder.rglob('*')
        if path.is_file() and path.suffix in _TYPES
    }

    async def file(request: web.Request) -> web.Response:
        found = files.get(request.match_info.get('path', 'index.html'))
        if found is None:
            raise web.HTTPNotFound
        return _respond(request, found)

    app.router.add_get('/', file)
    app.router.add_get(_PREFIX + '/{path:.+}', file)


def _respond(request: web.Request, file: _File) -> web.Response:
    headers = {'Cache-Control': 'no-cache', 'ETag': file.tag, 'Vary': 'Accept-Encoding'}
    if file.tag in request.headers.get('If-None-Match', ''):
        return web.Response(status=304, headers=headers)
    headers['Content-Type'] = file.kind
    if 'gzip' in request.headers.get('Accept-Encoding', ''):
        headers['Content-Encoding'] = 'gzip'
        return web.Response(body=file.packed, headers=headers)
    return web.Response(body=file.plain, headers=headers)
