# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
"""The fleet process: runs a member beside a retrain node until a signal arrives."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
import contextlib
from functools import partial
import logging
import signal
import sys

from edgetpu_retrain.errors import RetrainError
from edgetpu_retrain.fleet.problems import Problems
from edgetpu_retrain.fleet.robot.learner import EvidenceLearner, Learner, ReleaseLearner
from edgetpu_retrain.fleet.robot.member import Member
from edgetpu_retrain.fleet.robot.node_settings import NodeSettings, space_of
from edgetpu_retrain.fleet.robot.robot_files import FLEET_FILE, RobotFiles
from edgetpu_retrain.fleet.ros_node import FleetNode
from edgetpu_retrain.fleet.station.credentials import Credentials
from edgetpu_retrain.fleet.training.child import RoundOrder
from edgetpu_retrain.fleet.training.training_round import RoundOptions
from edgetpu_retrain.wording import sentence

_RETRY_S = 5.0
_ASK_S = 5.0
_DIAGNOSTICS_S = 1.0


def run(arguments: list[str] | None = None) -> int:
    """
    Run a member of a fleet until SIGINT or SIGTERM.

    Args:
        arguments: the command line, including ROS arguments; None = ``sys.argv``.

    Returns:
        The exit code: 0 after a signal, 1 if the process cannot start.
    """
    end = EndSignal()
    # asyncio logs a warning about eof_received() for each lost TLS connection; users can do
    # nothing about it.
    logging.getLogger('asyncio').addFilter(_is_worth_logging)
    try:
        node = FleetNode(arguments)
    except RetrainError as error:
        print(f'error: {sentence(error)}', file=sys.stderr)
        return 1
    with contextlib.closing(node), contextlib.closing(end):
        try:
            process = FleetProcess(node, end)
        except RetrainError as error:
            node.log('error', sentence(error))
            return 1
        asyncio.run(process.run())
    return 0


def _is_worth_logging(record: logging.LogRecord) -> bool:
    return 'eof_received' not in record.getMessage()


class EndSignal:
    """
    Notes SIGINT and SIGTERM, which then do not interrupt the program.

    The signal handlers of an event loop would not suffice: when the loop is closed, it restores
    the default handlers, and a second signal would interrupt the closing of the node.
    """

    def __init__(self) -> None:
        self.has_come = False
        """Whether a signal has arrived; set even while the event loop is blocked."""
        self._wake: Callable[[], object] = bool
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, self._note)

    def close(self) -> None:
        """
        Ignore further signals.

        When the interpreter exits, it restores the default handlers, which would let a signal kill
        the process.  An ignored signal stays ignored.
        """
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, signal.SIG_IGN)

    async def wait(self) -> None:
        """Wait for a signal; return at once if one has arrived already."""
        come = asyncio.Event()
        self._wake = partial(asyncio.get_running_loop().call_soon_threadsafe, come.set)
        try:
            if not self.has_come:
                await come.wait()
        finally:
            self._wake = bool

    def _note(self, *_: object) -> None:
        self.has_come = True
        self._wake()


class FleetProcess:
    """
    Runs a member with the data folder and extractor of the retrain node.

    Args:
        node: the ROS node of the fleet process.
        end: notes the signals; :meth:`run` returns after the first one.

    Raises:
        FleetError: if the credentials are missing or invalid.
    """

    def __init__(self, node: FleetNode, end: EndSignal) -> None:
        self._node = node
        self._end = end
        self._credentials = Credentials.read(node.parameters.credentials)
        self._problems = Problems(node.log)
        self._member: Member | None = None

    async def run(self) -> None:
        """Run a member until SIGINT or SIGTERM."""
        tasks = [asyncio.create_task(self._follow()), asyncio.create_task(self._diagnose())]
        waiting = asyncio.create_task(self._end.wait())
        await asyncio.wait([*tasks, waiting], return_when=asyncio.FIRST_COMPLETED)
        for task in (*tasks, waiting):
            task.cancel()
        results = await asyncio.gather(*tasks, return_exceptions=True)
        for error in results:
            if isinstance(error, Exception):
                raise error

    async def _follow(self) -> None:
        """Run a member with the retrain node's settings; replace it when the settings change."""
        while not self._end.has_come:
            answer = await self._ask()
            if answer is None:
                await asyncio.sleep(_RETRY_S)
                continue
            settings, keep = answer
            try:
                with self._opened(settings, keep) as member:
                    self._problems.report('data folder')
                    await self._run_until_changed(member, answer)
            except (RetrainError, OSError) as error:
                self._problems.report('data folder', error)
                await asyncio.sleep(_RETRY_S)

    async def _run_until_changed(self, member: Member, answer: tuple[NodeSettings, int]) -> None:
        running = asyncio.create_task(member.run())
        self._member = member
        try:
            while not running.done() and await self._ask() in (answer, None):
                await asyncio.wait([running], timeout=_ASK_S)
            if not running.done():
                self._node.log('info', f'{self._node.retrain_node} has other parameters now.')
        finally:
            self._member = None
            running.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await running

    async def _ask(self) -> tuple[NodeSettings, int] | None:
        """Return the settings and keep_models of the retrain node; None without a response."""
        try:
            settings, follows, keep = await self._node.ask()
        except RetrainError as error:
            self._problems.report('retrain node', error)
            return None
        self._problems.report('retrain node')
        self._problems.report(
            'follow_models',
            ''
            if follows
            else f'{settings.node} does not load what is learned from the fleet: set its '
            'parameter follow_models to true',
        )
        return settings, keep

    @contextlib.contextmanager
    def _opened(self, settings: NodeSettings, keep_models: int) -> Iterator[Member]:
        """Yield a member; raise OSError or RetrainError if folder or extractor cannot be used."""
        given, credentials, key = (
            self._node.parameters,
            self._credentials,
            self._credentials.key,
        )
        folder = settings.folder()
        extractor = settings.read_extractor(folder)
        with contextlib.closing(
            RobotFiles(
                folder,
                space_of(extractor),
                key.public,
                credentials.fleet,
                share_pictures=given.share_pictures,
                is_ending=lambda: self._end.has_come,
            )
        ) as files:
            options = RoundOptions(given.max_origin_share, keep_models)
            learner: Learner
            if given.learn_from == 'evidence':
                order = RoundOrder(
                    str(folder),
                    str(folder / FLEET_FILE),
                    key.public,
                    credentials.fleet,
                    settings,
                    options,
                )
                learner = EvidenceLearner(order)
            else:
                learner = ReleaseLearner(folder, extractor, files.ledger, options)
            hubs = [(each, credentials) for each in given.fleet]
            self._node.log(
                'info',
                f'{credentials.name} ({key.public[:8]}) is a member of fleet '
                f'{credentials.fleet[:8]} at {", ".join(given.fleet)}, with the samples in '
                f'{folder}.',
            )
            yield Member(credentials.name, key, hubs, files, learner, self._node.log)

    async def _diagnose(self) -> None:
        while True:
            member = self._member
            problems = self._problems.texts
            message: str = 'waits for the retrain node'
            values: dict[str, object] = {}
            if member is not None:
                problems += member.problems.texts
                message, values = member.summary()
            self._node.publish(message, ' '.join(problems), values)
            await asyncio.sleep(_DIAGNOSTICS_S)
