# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
"""RobotFiles: the files of a member, in the data folder of its retrain node."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path

from edgetpu_retrain.fleet.evidence.embedding_space import EmbeddingSpace
from edgetpu_retrain.fleet.hub.ledger_report import frontier_digest
from edgetpu_retrain.fleet.hub.reports import Report
from edgetpu_retrain.fleet.ledger.ledger import Ledger
from edgetpu_retrain.fleet.robot.own_samples import OwnSamples, Scan
from edgetpu_retrain.fleet.robot.questions import FleetQuestioner, Unsettled
from edgetpu_retrain.fleet.robot.robot_tables import RobotTables
from edgetpu_retrain.store.files.data_folder import MODELS_FOLDER, SAMPLES_FILE
from edgetpu_retrain.store.models.choice_file import ChoiceFile
from edgetpu_retrain.store.models.model_store import ModelStore
from edgetpu_retrain.store.samples.sample_store import SampleStore

FLEET_FILE = 'fleet.db'
"""Name of the SQLite file in the data folder that has the fleet's packs, claims and samples."""


class RobotFiles:
    """
    The samples of a robot, its ledger, its questions, and the model version that serves.

    Only one thread at a time may call the methods, except :meth:`complete`.  Any thread may use
    ``ledger``.

    Args:
        folder: the data folder of the node.
        space: the space of the samples.
        key: public key of the robot.
        fleet: public key of the fleet.
        share_pictures: whether new claims come with thumbnails.
        is_ending: called while another program has locked samples.db; returns whether to stop
            waiting.

    Raises:
        StoreError: if fleet.db cannot be opened.
    """

    def __init__(
        self,
        folder: Path,
        space: EmbeddingSpace,
        key: str,
        fleet: str,
        *,
        share_pictures: bool = False,
        is_ending: Callable[[], bool] = lambda: False,
    ) -> None:
        self.folder = folder
        self._stack = ExitStack()
        with ExitStack() as stack:
            path = folder / FLEET_FILE
            self.ledger = stack.enter_context(Ledger(path, space, me=key, fleet=fleet))
            tables = RobotTables(path)
            stack.callback(tables.close)
            # A damaged samples.db makes scans and questions fail, but not synchronization and
            # reports.
            self._samples = stack.enter_context(
                SampleStore(folder / SAMPLES_FILE, must_open=False, is_ending=is_ending)
            )
            self._own = OwnSamples(
                self._samples, self.ledger, tables, space, share_pictures=share_pictures
            )
            self._questioner = FleetQuestioner(self._samples, self.ledger, tables, space, key)
            self._stack = stack.pop_all()
        self._choice = ChoiceFile(ModelStore(folder / MODELS_FOLDER))

    def close(self) -> None:
        """Close all files."""
        self._stack.close()

    def scan(self) -> Scan:
        """Claim this robot's samples; see :meth:`OwnSamples.scan`."""
        return self._own.scan()

    def ask(self) -> Unsettled:
        """Update the questions about the fleet; see :meth:`FleetQuestioner.update`."""
        return self._questioner.update()

    def samples_version(self) -> object:
        """Return a value that differs after each change of samples and questions."""
        return self._samples.version()

    def serving_version(self) -> int:
        """
        Return the number of the version that serves, or that the node will load next; 0 = none.

        Raises:
            StoreError: if the models folder or the recorded choice of a version cannot be read.
        """
        return next(iter(self._choice.wanted(self._choice.current())), 0)

    def complete(self, report: Report) -> Report:
        """Return a copy of a report, with the fields that the ledger determines filled in."""
        packs: Counter[str] = Counter()
        for each in self.ledger.quarantine():
            packs[each.outcome] += each.packs
        return replace(
            report,
            unpublished=self.ledger.unpublished_count,
            frontier=frontier_digest(self.ledger),
            quarantine=packs['quarantined'],
            waiting=packs['waiting'],
        )
