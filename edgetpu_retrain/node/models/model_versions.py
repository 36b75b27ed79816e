# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
"""ModelVersions: which stored version serves, and how it is swapped for another."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
import threading

from edgetpu_retrain.errors import RequestError, RetrainError, StoreError
from edgetpu_retrain.node.models.loaded_model import LoadedModel
from edgetpu_retrain.runtime.engines.engine import PreparedModel
from edgetpu_retrain.store.models.choice_file import Choice, ChoiceFile
from edgetpu_retrain.store.models.model_record import ModelRecord
from edgetpu_retrain.store.models.model_store import ModelStore, ModelVersion

LATEST = 0
PREVIOUS = -1


@dataclass(frozen=True)
class Wanted:
    """
    The versions that other programs want to serve; equal if nothing on the disk has changed.

    Args:
        versions: those to try before the serving one, in this order; () = none.
        choice: the recorded choice.
        files: size and time of each version's files, so that a version that was still being
            copied is checked again.
    """

    versions: tuple[int, ...] = ()
    choice: Choice | None = None
    files: tuple[object, ...] = ()


class ModelVersions:
    """
    The versions of one extractor, and which of them serves; all methods are thread-safe.

    Args:
        models: the stored versions.
        extractor: SHA-256 of the extractor's file.
        prepare: loads the bytes of a retrained model on every device.
        serve: swaps models between two frames; returns when the new one serves.
        on_swap: called with the serving model, never concurrently.
    """

    def __init__(
        self,
        models: ModelStore,
        extractor: str,
        prepare: Callable[[bytes], Mapping[str, PreparedModel]],
        serve: Callable[[LoadedModel], None],
        on_swap: Callable[[LoadedModel, Choice], None],
    ) -> None:
        self._models = models
        self.extractor = extractor
        self._prepare = prepare
        self._serve = serve
        self._on_swap = on_swap
        self._choices = ChoiceFile(models)
        # One new model at a time, until the previous one is released: the first swap shows the
        # peak memory of the node, and no later coincidence exceeds it.
        self._preparing = threading.Lock()
        # From the record on the disk to the announcement, so that all agree on the version.
        self._swapping = threading.Lock()
        self._serving: LoadedModel | None = None

    @property
    def serving(self) -> LoadedModel | None:
        """The serving model, None before the first training."""
        return self._serving

    def start(self, warn: Callable[[str], None]) -> LoadedModel | None:
        """
        Load the version to serve at the start: the last choice, or else the best other one.

        A model serves even if the disk is read-only.

        Args:
            warn: called with a sentence about each rejected version and each other problem.

        Returns:
            None if there is no version that can serve.

        Raises:
            StoreError: if the models folder cannot be read.
        """
        for number in self._to_try(warn):
            try:
                model = self._load(number)
            except RetrainError as error:  # noqa: PERF203 - a handful of versions, once
                warn(f'model version {number} does not serve: {error}')
            else:
                with self._swapping:
                    self._announce(model, self._chosen_at_start(number, warn))
                return model
        try:
            # Recording a choice does this otherwise.
            self._models.clear_leftovers()
        except StoreError as error:
            warn(str(error))
        return None

    def load(self, version: int) -> ModelVersion:
        """
        Serve another version; returns when it serves the next frame.

        It returns the stored version and not the loaded model, which a caller would keep in
        memory.

        Args:
            version: its number, :data:`LATEST` or :data:`PREVIOUS`.

        Raises:
            RequestError: if there is no such version.
            RetrainError: if it cannot serve, or the choice cannot be recorded; the previous one
                still serves.
        """
        number = self._find(version)
        with self._preparing:
            model = self._load(number)
            with self._swapping:
                self._swap(model, self._choices.choose(number))
        return model.version

    def add(
        self,
        model: bytes,
        record: Callable[[int], ModelRecord],
        commit: Callable[[], None],
    ) -> ModelVersion:
        """
        Store and serve a new model of this node; returns when it serves the next frame.

        It is loaded and run once before it is stored, so that every stored model can serve; and it
        is stored before it serves, so that the node serves it after a restart.

        Args:
            model: bytes of the .tflite file.
            record: takes the number of the newest version, 0 = none, and returns the new version's
                record.
            commit: called before storing; if it raises, nothing is stored.

        Raises:
            StoreError: if it cannot be stored, or the choice cannot be recorded.
            RetrainError: if it cannot serve.
        """
        with self._preparing:
            prepared = self._prepare(model)
            commit()
            # Until it is the choice, the version looks like one of another program.
            with self._swapping:
                version = self._models.save(model, record(self._models.newest_version()))
                loaded = LoadedModel(version, prepared)
                self._swap(loaded, self._choices.choose(version.version))
        return version

    def wanted(self) -> Wanted | None:
        """
        Return what other programs have trained or chosen, None during a swap.

        It reads a small file and lists the folder, and does not block.

        Raises:
            StoreError: if they cannot be read.
        """
        if not self._swapping.acquire(blocking=False):
            return None
        try:
            choice = self._choices.current()
            numbers = self._choices.wanted(choice)
            if self._serving and self._serving.version.version in numbers:
                numbers = numbers[: numbers.index(self._serving.version.version)]
        finally:
            self._swapping.release()
        return Wanted(numbers, choice, tuple(map(self._models.files_of, numbers)))

    def check(self, version: int) -> ModelVersion:
        """
        Return a version that should be able to serve; it is not loaded.

        Raises:
            StoreError: if it is damaged, or of another extractor.
        """
        found = self._models.load(version)
        if found.record.extractor != self.extractor:
            raise StoreError(
                f'Model version {version} was trained for extractor '
                f'{found.record.extractor[:12]}, and {self.extractor[:12]} is in use: set '
                'extractor to that one, or train again'
            )
        return found

    def follow(self, version: int, seen: Choice | None) -> bool:
        """
        Serve a version that another program wants; returns when it serves the next frame.

        Args:
            version: its number.
            seen: the recorded choice when following was decided.

        Returns:
            False if another choice was made meanwhile; nothing is swapped then.

        Raises:
            RetrainError: if it cannot serve; the previous one still serves.
        """
        with self._preparing:
            model = self._load(version)
            with self._swapping:
                choice = self._choices.choose_instead_of(seen, version)
                if choice is not None:
                    self._swap(model, choice)
        return choice is not None

    def prune(self, keep: int) -> tuple[int, ...]:
        """
        Delete old versions, see :meth:`ModelStore.prune`; return their numbers.

        Keep the serving version and the one that another program has chosen to serve next.
        """
        choice = self._choices.current()
        in_use = {choice.version} if choice else set()
        if self._serving:
            in_use.add(self._serving.version.version)
        return self._models.prune(keep, in_use=in_use)

    def _to_try(self, warn: Callable[[str], None]) -> tuple[int, ...]:
        try:
            return self._choices.versions_to_try()
        except StoreError as error:
            newest_first = tuple(reversed(self._models.versions()))
            warn(f'which model was chosen is not known, so the newest serves: {error}')
            return newest_first

    def _chosen_at_start(self, number: int, warn: Callable[[str], None]) -> Choice:
        try:
            return self._choices.choose(number)
        except StoreError as error:
            warn(f'model version {number} serves, but that could not be written down: {error}')
            return self._choices.not_written_down(number)

    def _swap(self, model: LoadedModel, choice: Choice) -> None:
        """Serve a model after its choice was recorded, so that a restart serves it too."""
        self._serve(model)
        self._announce(model, choice)

    def _announce(self, model: LoadedModel, choice: Choice) -> None:
        self._serving = model
        self._on_swap(model, choice)

    def _find(self, version: int) -> int:
        if version > 0:
            return version
        if version == LATEST:
            found = self._models.latest()
        elif version == PREVIOUS:
            found = self._models.previous(self._serving.version.version) if self._serving else None
        else:
            raise RequestError(
                f'version is {version}: give the number of a version, 0 for the latest or -1 '
                'for the one before the version that serves'
            )
        if found is None:
            before = ' before the one that serves' if self._serving else ''
            raise RequestError(f'There is no model version{before}: train first')
        return found.version

    def _load(self, version: int) -> LoadedModel:
        found = self.check(version)
        return LoadedModel(found, self._prepare(found.read_model()))
