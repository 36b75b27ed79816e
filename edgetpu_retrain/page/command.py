# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
"""The command line of the page, which is served until a signal arrives."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
import contextlib
import errno
import logging
import signal
import socket
import sys

from edgetpu_retrain.errors import RequestError, RetrainError
import edgetpu_retrain.needs_ros  # noqa: F401
from edgetpu_retrain.page.access.sessions import Sessions
from edgetpu_retrain.page.announcement import Announcement
from edgetpu_retrain.page.app import make_app
from edgetpu_retrain.page.handlers import add_handlers
from edgetpu_retrain.page.options import EVERYWHERE, Options, parse_options
from edgetpu_retrain.page.robot import Robot
from edgetpu_retrain.page.server import Server
from edgetpu_retrain.processes.joining import initializing
from edgetpu_retrain.wording import quoted, sentence
from rclpy.utilities import remove_ros_args


def run(arguments: Sequence[str] | None = None) -> int:
    """
    Serve the page until SIGINT or SIGTERM.

    Args:
        arguments: the command-line arguments, including ROS arguments, without the name of the
            program; None = those in ``sys.argv``.

    Returns:
        The exit code: 0 after a signal, 1 if the server cannot start.

    Raises:
        SystemExit: if an option is invalid, or after --help.
    """
    try:
        return _run(list(sys.argv if arguments is None else ['page', *arguments]))
    except KeyboardInterrupt:
        # SIGINT arrived before the event loop handled it, or again after the loop had ended.
        return 0


def _run(given: list[str]) -> int:
    logging.basicConfig(level=logging.INFO, format='[%(levelname)s] [page]: %(message)s')
    try:
        with initializing():
            own = remove_ros_args(given)[1:]
        options = parse_options(own)
        asyncio.run(_serve(options, given))
    except RetrainError as error:
        print(f'error: {sentence(error)}', file=sys.stderr)
        return 1
    return 0


def _cannot_listen(error: OSError, options: Options) -> str:
    if error.errno == errno.EADDRINUSE:
        return (
            f'port {options.port} is in use: end the program that uses it (is another page '
            f'running?), or choose another port, such as --port {options.port + 1}'
        )
    if error.errno == errno.EADDRNOTAVAIL:
        return f'{options.host} is no address of this machine: choose another --host'
    if isinstance(error, socket.gaierror):
        return (
            f'--host {quoted(options.host)} has no address ({error.strerror}): give an address of '
            f'this machine, such as {EVERYWHERE}'
        )
    return (
        f'the page cannot listen on {options.host}, port {options.port} ({error.strerror}): '
        'choose another --host or --port'
    )


async def _serve(options: Options, arguments: list[str]) -> None:
    ended = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, ended.set)
    announcement = Announcement(options)
    sessions = Sessions(announcement.token) if options.lan else None
    app = make_app(options, sessions)
    async with contextlib.AsyncExitStack() as stack:
        robot = Robot(options.node, arguments)
        stack.push_async_callback(robot.close)
        add_handlers(app, options, robot)
        server = Server(app, options)
        stack.push_async_callback(server.close)
        try:
            announcement.port = await server.start()
        except OSError as error:
            raise RequestError(_cannot_listen(error, options)) from error
        if sessions is None:
            announcement.page()
        else:
            sessions.begin()
        await ended.wait()
