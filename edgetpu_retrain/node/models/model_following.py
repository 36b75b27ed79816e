# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
"""ModelFollowing: the node beside other programs that train and choose in its data folder."""

from __future__ import annotations

from concurrent.futures import CancelledError, Future
import traceback

from edgetpu_retrain.errors import RetrainError, StoreError
from edgetpu_retrain.node.active_parts import ActiveParts
from edgetpu_retrain.node.health.status import NodeStatus
from edgetpu_retrain.node.models.model_versions import ModelVersions, Wanted
from edgetpu_retrain.node.requests.background_thread import BackgroundThread
from edgetpu_retrain.wording import sentence
from rclpy.node import Node

_PROBLEM = 'models of other programs'


class ModelFollowing:
    """
    Notices what others want to serve, reports it, and loads it if ``follow_models`` is true.

    What is wanted is what a node that starts would try first.  Each thing is logged once, however
    often it is seen.  A thread reads and loads, so that frames go on meanwhile.

    Args:
        node: logs.
        status: publishes which version waits, and why one cannot serve.
    """

    def __init__(self, node: Node, status: NodeStatus) -> None:
        self._log = node.get_logger()
        self._status = status
        self._thread = BackgroundThread('following')
        self._work: Future[None] | None = None
        self._seen: tuple[Wanted, bool] | None = None
        self._reported: set[tuple[int, str]] = set()

    def check_for_changes(self, parts: ActiveParts) -> None:
        """Check what other programs want; to be called again and again, never waits."""
        if self._work is not None and not self._work.done():
            return
        try:
            wanted = parts.versions.wanted()
        except StoreError as error:
            self._seen = None
            self._report(0, str(error))
            return
        follow = parts.parameters().follow_models
        if wanted is None or self._seen == (wanted, follow):
            return
        self._seen = (wanted, follow)
        if wanted.versions:
            self._work = self._thread.submit(self._handle, parts.versions, wanted, follow)
        else:
            self._forget()

    def stop(self) -> None:
        """Wait until what was begun is done."""
        self._thread.stop()
        self._seen = None
        self._reported.clear()

    def _handle(self, versions: ModelVersions, wanted: Wanted, follow: bool) -> None:
        try:
            self._try_versions(versions, wanted, follow)
        except CancelledError:
            # The node was deactivated.  It checks again when it is active.
            self._seen = None
        except Exception as error:  # noqa: BLE001 - a bug must not end a robot's node
            self._log.error(traceback.format_exc())
            self._report(0, f'internal error, see the log of the node: {error!r}')

    def _try_versions(self, versions: ModelVersions, wanted: Wanted, follow: bool) -> None:
        problems = []
        found = 0
        for number in wanted.versions:
            try:
                if not follow:
                    versions.check(number)
                elif versions.follow(number, wanted.choice) is None:
                    # Somebody has chosen meanwhile: that is checked next.
                    self._seen = None
                    return
            except RetrainError as error:  # noqa: PERF203 - a handful of versions, once
                problems.append(self._refusal(number, error))
            else:
                found = number
                break
        self._status.update(pending_model_version=0 if follow else found)
        self._status.set_problem(_PROBLEM, ' '.join(problems))
        if not found:
            return
        verb = 'chose' if wanted.choice and wanted.choice.version == found else 'trained'
        if follow:
            self._log.info(
                f'model version {found} serves, because another program {verb} it and '
                'follow_models is true'
            )
        elif self._is_news(found, 'offer'):
            serving = versions.serving
            now = f'version {serving.version.version} goes on' if serving else 'none serves yet'
            self._log.info(
                f'another program {verb} model version {found}, and {now}: load it with '
                '~/load_model, or let the node do so by the parameter follow_models'
            )

    def _refusal(self, number: int, error: RetrainError) -> str:
        words = sentence(f'model version {number} of another program does not serve: {error}')
        if self._is_news(number, 'refusal'):
            self._log.warning(words)
        return words

    def _report(self, number: int, problem: str) -> None:
        if self._is_news(number, problem):
            self._log.warning(sentence(problem))
        self._status.set_problem(_PROBLEM, sentence(problem))

    def _is_news(self, number: int, what: str) -> bool:
        news = (number, what) not in self._reported
        self._reported.add((number, what))
        return news

    def _forget(self) -> None:
        self._reported.clear()
        self._status.update(pending_model_version=0)
        self._status.set_problem(_PROBLEM, '')
