# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
"""Transfer: export all samples as a zip, or import the samples of a zip."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import datetime, timezone
import os
from pathlib import Path
import shutil
from tempfile import TemporaryDirectory
from typing import IO

from aiohttp import web
from edgetpu_retrain.errors import RequestError, RetrainError, StoreError
from edgetpu_retrain.page.data.child import run_command_line
from edgetpu_retrain.page.data.import_words import in_words
from edgetpu_retrain.page.refused import RefusedError
from edgetpu_retrain.page.routes.fields import query_of
from edgetpu_retrain.page.routes.robot_access import announce, data_folder, parameters

MAX_ZIP_BYTES = 2 * 2**30
"""Maximum size of a zip to import, bytes."""

SPARE_BYTES = 256 * 2**20
"""Minimum free space on the disk of temporary files while a zip is received, bytes."""

STALL_S = 60.0
"""Maximum time for which a browser may send or receive nothing, seconds."""

# Number of bytes that are read at a time.
_CHUNK = 2**20

# The node's parameters that determine its extractor.  The command line has an option for each.
_EXTRACTOR = ('extractor', 'input_range', 'input_size', 'model_output')


def add_routes(app: web.Application) -> None:
    """Add the routes of transfers to an application."""
    transfers = _Transfers()
    app.router.add_get('/api/export.zip', transfers.export_samples, allow_head=False)
    app.router.add_post('/api/import', transfers.import_samples)


class _Transfers:
    """Runs transfers one after the other, because each needs disk space and a process."""

    def __init__(self) -> None:
        self._transferring = asyncio.Lock()

    async def export_samples(self, request: web.Request) -> web.StreamResponse:
        """Write a zip of all samples with the command line, and send it."""
        query_of(request)
        folder = await data_folder(request)
        async with self._transferring, _temporary_folder() as temporary:
            path = temporary / 'samples.zip'
            await run_command_line('samples', 'export', str(path), '--data-dir', str(folder))
            with path.open('rb') as file:
                # The disk space is freed when the file is closed, even if this process crashes.
                path.unlink()
                return await _stream(request, file)

    async def import_samples(self, request: web.Request) -> web.Response:
        """Receive a zip, and add its samples with the command line."""
        query_of(request)
        folder = await data_folder(request)
        chosen = await parameters(request, *_EXTRACTOR)
        options = [f'--{name.replace("_", "-")}={value}' for name, value in chosen.items()]
        async with self._transferring, _temporary_folder() as temporary:
            path = temporary / 'samples.zip'
            await _receive(request, path)
            try:
                done = await run_command_line(
                    'samples', 'import', str(path), *options, '--data-dir', str(folder)
                )
            except RetrainError as error:
                # The name of the temporary file means nothing to the user.
                words = str(error).replace(str(path), 'The zip')
                raise RefusedError(
                    400 if isinstance(error, RequestError) else 409, words
                ) from error
        announce(request, 'samples')
        return web.json_response({'message': in_words(done), 'added': done['added']})


@asynccontextmanager
async def _temporary_folder() -> AsyncIterator[Path]:
    """Yield a temporary folder in TMPDIR or else in /var/tmp, because /tmp may be in memory."""
    try:
        made = TemporaryDirectory(
            prefix='edgetpu_retrain.',
            dir=os.environ.get('TMPDIR') or '/var/tmp',  # noqa: S108
        )
    except OSError as error:
        raise StoreError(f'No temporary folder can be made ({error}): set TMPDIR.') from error
    with made as name:
        yield Path(name)


async def _stream(request: web.Request, file: IO[bytes]) -> web.StreamResponse:
    loop = asyncio.get_running_loop()
    today = datetime.now(timezone.utc).astimezone()
    response = web.StreamResponse(
        headers={
            'Content-Type': 'application/zip',
            'Content-Disposition': f'attachment; filename="samples-{today:%Y-%m-%d}.zip"',
            'Content-Length': str(os.fstat(file.fileno()).st_size),
            'Cache-Control': 'no-store',
        }
    )
    await response.prepare(request)
    while chunk := await loop.run_in_executor(None, file.read, _CHUNK):
        await asyncio.wait_for(response.write(chunk), STALL_S)
    await response.write_eof()
    return response


async def _receive(request: web.Request, path: Path) -> None:
    """Write the body of a request to a file."""
    _check_size(request.content_length or 0, path)
    loop, received = asyncio.get_running_loop(), 0
    with path.open('wb') as file:
        while True:
            try:
                chunk = await asyncio.wait_for(request.content.read(_CHUNK), STALL_S)
            except asyncio.TimeoutError as error:
                raise RefusedError(
                    408, f'nothing arrived for {STALL_S:.0f} s: send the zip again'
                ) from error
            if not chunk:
                break
            received += len(chunk)
            _check_size(received, path)
            await loop.run_in_executor(None, file.write, chunk)


def _check_size(size: int, path: Path) -> None:
    if size > MAX_ZIP_BYTES:
        raise RefusedError(
            413,
            f'the zip is larger than {MAX_ZIP_BYTES} bytes: copy it to the robot, and import it '
            'there with: python3 -m edgetpu_retrain samples import FILE.zip',
        )
    free = shutil.disk_usage(path.parent).free
    if free < SPARE_BYTES:
        raise RefusedError(
            507, f'the disk of {path.parent.parent} has {free} bytes left: free some'
        )
