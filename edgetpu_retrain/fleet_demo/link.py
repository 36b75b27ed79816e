# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
"""Link: the network between a robot and the hub, which can be cut and restored."""

from __future__ import annotations

import contextlib
import socket
import threading

_CHUNK_BYTES = 64 << 10


class Link(contextlib.AbstractContextManager['Link']):
    """
    Relays TCP connections from one port of this machine to another.

    While the link is cut, all connections are closed, and new ones are closed at once.

    Args:
        target_port: port to which connections are relayed.
        port: port to which the robot connects; 0 = any free one.

    Attributes:
        port: port to which the robot connects.
    """

    def __init__(self, target_port: int, port: int = 0) -> None:
        self._target_port = target_port
        self._listener = socket.create_server(('127.0.0.1', port))
        self.port: int = self._listener.getsockname()[1]
        self._lock = threading.Lock()
        self._is_cut = False
        self._sockets: set[socket.socket] = set()
        threading.Thread(target=self._accept, name='link', daemon=True).start()

    def __exit__(self, *_: object) -> None:
        self.cut()
        # shutdown() wakes the thread that waits in accept(); close() alone does not.
        with contextlib.suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()

    def cut(self) -> None:
        """Close all connections, and close new ones at once until :meth:`restore`."""
        with self._lock:
            self._is_cut = True
            for each in self._sockets:
                _shut(each)

    def restore(self) -> None:
        """Relay connections again."""
        with self._lock:
            self._is_cut = False

    def _accept(self) -> None:
        while True:
            try:
                near, _ = self._listener.accept()
            except OSError:
                return
            threading.Thread(target=self._relay, args=(near,), daemon=True).start()

    def _relay(self, near: socket.socket) -> None:
        address = ('127.0.0.1', self._target_port)
        with near, contextlib.suppress(OSError):
            if self._is_cut:
                return
            with socket.create_connection(address) as far:
                self._relay_between(near, far)

    def _relay_between(self, near: socket.socket, far: socket.socket) -> None:
        with self._lock:
            if self._is_cut:
                return
            self._sockets |= {near, far}
        back = threading.Thread(target=_pump, args=(far, near), daemon=True)
        back.start()
        _pump(near, far)
        back.join()
        with self._lock:
            self._sockets -= {near, far}


def _pump(source: socket.socket, sink: socket.socket) -> None:
    """Copy bytes until either connection ends, then shut down both."""
    with contextlib.suppress(OSError):
        while data := source.recv(_CHUNK_BYTES):
            sink.sendall(data)
    _shut(source)
    _shut(sink)


def _shut(connection: socket.socket) -> None:
    with contextlib.suppress(OSError):
        connection.shutdown(socket.SHUT_RDWR)
