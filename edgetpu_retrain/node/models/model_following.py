# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
"""ModelFollowing: detects models that other programs train or choose in the data folder."""

from __future__ import annotations

from concurrent.futures import CancelledError, Future
import time

from edgetpu_retrain.errors import (
    in_words,
    ModelFileError,
    RetrainError,
    StoreError,
    UnusableModelError,
)
from edgetpu_retrain.node.health.status import NodeStatus
from edgetpu_retrain.node.models.model_versions import ModelVersions, Wanted
from edgetpu_retrain.node.requests.background_thread import BackgroundThread
from edgetpu_retrain.node.requests.callback_errors import explain
from edgetpu_retrain.node.resources import NodeResources
from edgetpu_retrain.wording import sentence
from rclpy.node import Node

_PROBLEM = 'models of other programs'
_LOST = 'lost model'
# Pause before a version is tried again, seconds.
_RETRY_PERIOD_S = 10.0
# The errors of a version that stays unusable until its files change.
_PERMANENT = (UnusableModelError, ModelFileError)


class ModelFollowing:
    """
    Reports models that other programs trained or chose; loads one if ``follow_models`` is true.

    These models are the versions that a restarted node would try before the serving version.  Each
    version is logged once.  A background thread checks and loads versions, so that frames are not
    delayed.  A version that fails for another reason than its files, such as a full disk or a lock
    of another program, is tried again after a pause.

    Args:
        node: its logger is used.
        status: reports the pending version, and why a version cannot serve.
        retry_period_s: the pause before a version is tried again, seconds.
    """

    def __init__(
        self, node: Node, status: NodeStatus, *, retry_period_s: float = _RETRY_PERIOD_S
    ) -> None:
        self._node = node
        self._log = node.get_logger()
        self._status = status
        self._thread = BackgroundThread('following')
        self._work: Future[None] | None = None
        self._retry_period_s = retry_period_s
        self._seen: tuple[Wanted, bool] | None = None
        # When to try failed versions again, seconds of time.monotonic(); None = not again.
        self._retry_at: float | None = None
        self._logged: set[object] = set()

    def check_for_changes(self, resources: NodeResources) -> None:
        """Check for models of other programs; call it periodically.  Does not block."""
        if self._work is not None and not self._work.done():
            return
        try:
            if lost := resources.versions.lost():
                self._warn_once(lost, lost)
            self._status.set_problem(_LOST, sentence(lost) if lost else '')
            wanted = resources.versions.wanted()
        except StoreError as error:
            self._seen = None
            self._report(error)
            return
        follow = resources.parameters.follow_models
        is_due = self._retry_at is not None and time.monotonic() >= self._retry_at
        if wanted is None or (self._seen == (wanted, follow) and not is_due):
            return
        self._seen, self._retry_at = (wanted, follow), None
        if wanted.versions:
            self._work = self._thread.submit(self._handle, resources.versions, wanted, follow)
        else:
            self._logged.clear()
            self._status.update(pending_model_version=0)
            self._status.set_problem(_PROBLEM, '')

    def stop(self) -> None:
        """Wait for a load in progress, and stop; the next check reports everything again."""
        self._thread.stop()
        self._seen = None
        self._logged.clear()

    def _handle(self, versions: ModelVersions, wanted: Wanted, follow: bool) -> None:
        try:
            self._try_versions(versions, wanted, follow)
        except CancelledError:
            # The node was deactivated.  Check again once it is active.
            self._seen = None
        except Exception as error:  # noqa: BLE001 - a bug must not go unreported in a thread
            self._report(explain(self._node, error))

    def _try_versions(self, versions: ModelVersions, wanted: Wanted, follow: bool) -> None:
        problems = []
        found = 0
        # The newest version that is not to be tried again once an older one serves.
        known = 0
        for number in wanted.versions:
            try:
                if not follow:
                    versions.check(number)
                elif not versions.follow(number, wanted.choice, known):
                    # Another choice was made in the meantime: let check_for_changes() read it.
                    self._seen = None
                    return
            except (RetrainError, MemoryError) as error:  # noqa: PERF203 - few versions
                text = sentence(
                    f'model version {number} of another program does not serve: {in_words(error)}'
                )
                is_permanent = isinstance(error, _PERMANENT)
                if is_permanent:
                    known = max(known, number)
                else:
                    known = 0
                    text = f'{text} {self._try_again_later()}'
                problems.append(text)
                self._warn_once((number, is_permanent), text)
            else:
                found = number
                break
        self._status.update(pending_model_version=0 if follow else found)
        self._status.set_problem(_PROBLEM, ' '.join(problems))
        if found:
            self._log_found(found, versions, wanted, follow)

    def _log_found(
        self, found: int, versions: ModelVersions, wanted: Wanted, follow: bool
    ) -> None:
        verb = 'chose' if wanted.choice and wanted.choice.version == found else 'trained'
        if follow:
            self._log.info(
                f'model version {found} serves, because another program {verb} it and '
                'follow_models is true'
            )
        elif self._is_new(('pending', found)):
            serving = versions.serving
            now = f'version {serving.version.version} goes on' if serving else 'none serves yet'
            self._log.info(
                f'another program {verb} model version {found}, and {now}: load it with '
                '~/load_model, or let the node do so by the parameter follow_models'
            )

    def _try_again_later(self) -> str:
        self._retry_at = time.monotonic() + self._retry_period_s
        return f'The node tries again every {self._retry_period_s:g} s.'

    def _report(self, problem: object) -> None:
        self._warn_once(str(problem), problem)
        self._status.set_problem(_PROBLEM, sentence(problem))

    def _warn_once(self, key: object, text: object) -> None:
        if self._is_new(key):
            self._log.warning(sentence(text))

    def _is_new(self, key: object) -> bool:
        is_new = key not in self._logged
        self._logged.add(key)
        return is_new
