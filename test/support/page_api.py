# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
"""A retrain node with a small extractor, the page's server, and requests of the HTTP API."""

from __future__ import annotations

from collections.abc import Callable, Mapping
import contextlib
from dataclasses import dataclass
import http.client
import json
from pathlib import Path
import re
import sys
from typing import Any

from support.running_node import image_message, pattern, Person, RunningNode
from support.running_program import RunningProgram
from support.small_models import build_extractor
from support.waiting import PATIENCE_S, wait_until


@dataclass(frozen=True)
class Reply:
    """
    The response to a request.

    Args:
        status: HTTP status.
        headers: its headers.
        body: its body.
    """

    status: int
    headers: Mapping[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        """The body as JSON."""
        return json.loads(self.body)


class PageApi(contextlib.ExitStack):
    """
    Processes on this process's ROS domain, and a person with a camera.

    Args:
        python_path: PYTHONPATH of the processes.
        folder: an existing folder; ``data`` in it becomes the data folder.
        parameters: further parameters of the node.
        python: the Python that runs the server.
    """

    def __init__(
        self,
        python_path: str,
        folder: Path,
        parameters: Mapping[str, object] | None = None,
        python: str = sys.executable,
    ) -> None:
        super().__init__()
        self.data_dir = folder / 'data'
        extractor = folder / 'small.tflite'
        extractor.write_bytes(build_extractor('uint8', dimension=16, image_size=16))
        values = {'extractor': extractor, 'data_dir': self.data_dir, **(parameters or {})}
        self.node = self.enter_context(RunningNode(python_path, values))
        self.person = self.enter_context(Person())
        self.page = self.enter_context(
            RunningProgram(
                [python, '-m', 'edgetpu_retrain.page.main', '--port', '0'],
                {'PYTHONPATH': python_path, 'PYTHONUNBUFFERED': '1', 'TMPDIR': str(folder)},
            )
        )
        self.node.wait_until_ready()
        self.person.wait_until_ready()
        found = re.search(r'http://([^\s/]+):(\d+)', self.page.wait_for_log('http://'))
        assert found is not None
        self._host, self._port = found[1], int(found[2])
        # Until the server has discovered the node.
        wait_until(lambda: self.get('/api/samples').status == 200)

    def get(self, path: str) -> Reply:
        """Request a path."""
        return self.request('GET', path)

    def post(self, path: str, body: Any, kind: str = 'application/json') -> Reply:
        """Post a value as JSON, or bytes as they are."""
        content = body if isinstance(body, bytes) else json.dumps(body).encode()
        return self.request('POST', path, content, {'Content-Type': kind})

    def request(
        self,
        method: str,
        path: str,
        body: bytes | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> Reply:
        """Send a request on a connection of its own, as a page of the server would."""
        with contextlib.closing(
            http.client.HTTPConnection(self._host, self._port, timeout=PATIENCE_S)
        ) as connection:
            origin = {'Origin': f'http://{self._host}:{self._port}'}
            connection.request(method, path, body, {**origin, **(headers or {})})
            response = connection.getresponse()
            return Reply(response.status, dict(response.getheaders()), response.read())

    def teach(self, *labels: str, count: int = 6) -> dict[str, list[int]]:
        """Store samples of classes, each with its own picture; return the ids, oldest first."""
        camera = self.person.camera()
        pictures = {label: image_message(pattern(len(label))) for label in labels}
        self.person.teach(camera, pictures, count)
        self.person.close_cameras()
        return {label: self.ids(label) for label in labels}

    def ids(self, label: str) -> list[int]:
        """Return the ids of the samples of a class, oldest first."""
        found = self.get(f'/api/samples?label={label}').json['samples']
        return [each['id'] for each in reversed(found)]

    def wait_for(self, path: str, condition: Callable[[Any], bool]) -> Any:
        """Request a path until its JSON satisfies a condition, and return it."""
        found: Any = None

        def holds() -> bool:
            nonlocal found
            reply = self.get(path)
            found = reply.json
            return reply.status == 200 and condition(found)

        wait_until(holds, poll_s=0.1)
        return found
