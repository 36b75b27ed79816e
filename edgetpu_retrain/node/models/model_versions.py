# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
"""ModelVersions: decides which stored version serves, and swaps it for another."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
import threading

from edgetpu_retrain.errors import RequestError, RetrainError, StoreError, UnusableModelError
from edgetpu_retrain.node.models.loaded_model import LoadedModel
from edgetpu_retrain.runtime.engines.engine import PreparedModel
from edgetpu_retrain.store.files.disk_errors import as_store_error
from edgetpu_retrain.store.files.regular_file import exists
from edgetpu_retrain.store.models.choice_file import Choice, ChoiceFile
from edgetpu_retrain.store.models.model_record import ModelRecord
from edgetpu_retrain.store.models.model_store import ModelStore, ModelVersion

LATEST = 0
PREVIOUS = -1


@dataclass(frozen=True)
class Wanted:
    """
    The versions that other programs have trained or chosen.

    The results of two calls of :meth:`ModelVersions.wanted` are equal if nothing has changed.

    Args:
        versions: numbers of the versions to try before the serving version, in this order.
        choice: the recorded choice; None = there is none.
        files: inode, size and time of each version's files, so that an incomplete version is
            checked again when more of it has been copied.
    """

    versions: tuple[int, ...] = ()
    choice: Choice | None = None
    files: tuple[object, ...] = ()


class ModelVersions:
    """
    The versions of one extractor, and which of them serves; all methods are thread-safe.

    Args:
        models: the stored versions.
        extractor: identity of the extractor.
        prepare: loads a retrained model on every device; called with the bytes of its file.
        serve: swaps models between two frames; returns when the new model serves.  Raises
            CancelledError if the node is deactivated before the swap.
        on_swap: called with the model and its choice at the start and after each swap, never
            concurrently.
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
        # Locked while a model is prepared and swapped in, so that at most one model is in memory
        # besides the serving one.
        self._preparing = threading.Lock()
        # Locked from recording a choice on disk until it is announced, so that the recorded and
        # the announced version are the same.
        self._swapping = threading.Lock()
        self.serving: LoadedModel | None = None
        """The serving model; None if none serves, as before the first training."""

    def start(self, warn: Callable[[str], None]) -> LoadedModel | None:
        """
        Load the first version that works, in the order of :meth:`ChoiceFile.versions_to_try`.

        If the recorded choice cannot be read, the order is newest first.  If another program makes
        a choice meanwhile, that choice is followed.  This method also works on a read-only disk.

        Args:
            warn: called with a sentence about each rejected version and each other problem.

        Returns:
            The loaded version, announced but not swapped in; None if no version can serve.

        Raises:
            StoreError: if the models folder cannot be read.
        """
        seen, to_try = self._to_try(warn)
        for number in to_try:
            try:
                model = self._load(number)
            except RetrainError as error:  # noqa: PERF203 - few versions, tried once
                warn(f'model version {number} does not serve: {error}')
            else:
                with self._swapping:
                    choice = self._choose_at_start(seen, number, max(to_try), warn)
                    if choice is not None:
                        self._announce(model, choice)
                        return model
                return self.start(warn)
        try:
            # Recording a choice also deletes incomplete files, but here no choice is recorded.
            self._models.clear_leftovers()
        except StoreError as error:
            warn(str(error))
        return None

    def load(self, version: int) -> ModelVersion:
        """
        Load a version and swap it in; return once the version serves.

        Args:
            version: number of the version, :data:`LATEST` or :data:`PREVIOUS`.

        Returns:
            The stored version, not the loaded model, which would stay in the caller's memory.

        Raises:
            RequestError: if the number is below -1, or there is no latest or previous version.
            RetrainError: if the version is missing or cannot serve, or the choice cannot be
                recorded; the serving version stays the same.
            CancelledError: if the node is deactivated before the swap.
        """
        known = self._models.newest_version()
        number = self._find(version)
        with self._preparing:
            model = self._load(number)
            with self._swapping:
                self._swap(model, self._choices.choose(number, known=known))
        return model.version

    def add(
        self, model: bytes, record: Callable[[int], ModelRecord], commit: Callable[[], None]
    ) -> ModelVersion:
        """
        Store a new model of this node and swap it in; return once the model serves.

        The model is loaded and run once before it is stored, so that every stored model can serve.
        It is stored before it serves, so that a restarted node serves it, too.

        Args:
            model: bytes of the .tflite file.
            record: called with the number of the newest version (0 = none); returns the record of
                the new version.
            commit: called before storing; its exception is passed on, and nothing is stored.

        Raises:
            StoreError: if the model cannot be stored, or the choice cannot be recorded.
            RetrainError: if the model cannot serve.
            CancelledError: if the node is deactivated before the swap; the model is stored.
        """
        with self._preparing:
            prepared = self._prepare(model)
            commit()
            # Hold the lock: until the choice of the new version is recorded, wanted() would
            # mistake it for a version from another program.
            with self._swapping:
                version = self._models.save(model, record(self._models.newest_version()))
                loaded = LoadedModel(version, prepared)
                choice = self._choices.choose(version.version, known=version.version)
                self._swap(loaded, choice)
        return version

    def wanted(self) -> Wanted | None:
        """
        Return what other programs have trained or chosen; None during a swap.

        This method only reads a small file and lists the folder, and does not wait for a swap.

        Raises:
            StoreError: if the file or the folder cannot be read.
        """
        if not self._swapping.acquire(blocking=False):
            return None
        try:
            choice = self._choices.current()
            numbers = self._choices.wanted(choice)
            if self.serving and self.serving.version.version in numbers:
                numbers = numbers[: numbers.index(self.serving.version.version)]
        finally:
            self._swapping.release()
        return Wanted(numbers, choice, tuple(map(self._models.files_of, numbers)))

    def lost(self) -> str:
        """
        Return a message if the file of the serving version was removed; '' = it exists.

        Raises:
            StoreError: if the disk does not say whether it exists.
        """
        if (serving := self.serving) is None:
            return ''
        path = serving.version.path
        with as_store_error('look for the serving model', path):
            if exists(path):
                return ''
        return (
            f'model version {serving.version.version} serves only until the node ends, '
            f'because {path} was removed. What to do: put it back with its record, or train again'
        )

    def check(self, version: int) -> ModelVersion:
        """
        Check the files and the extractor of a stored version, and return the version.

        Args:
            version: number of the version.

        Raises:
            UnusableModelError: if the version is damaged, or of another extractor.
            StoreError: if the version is missing, or cannot be read.
        """
        found = self._models.load(version)
        self._check_extractor(found)
        return found

    def follow(self, version: int, seen: Choice | None, known: int) -> bool:
        """
        Swap in a version of another program; return once the version serves.

        Args:
            version: number of the version.
            seen: the recorded choice that the caller has read; None = there was none.
            known: number of the newest version that need not be tried again, or 0; versions after
                both this one and ``version`` are still wanted afterwards.

        Returns:
            False, without a swap, if another choice has been recorded since.

        Raises:
            RetrainError: if the version cannot serve, or the choice cannot be recorded; the
                serving version stays the same.
            CancelledError: if the node is deactivated before the swap.
        """
        with self._preparing:
            model = self._load(version)
            with self._swapping:
                choice = self._choices.choose_instead_of(seen, version, known=known)
                if choice is not None:
                    self._swap(model, choice)
        return choice is not None

    def prune(self, keep: int) -> tuple[int, ...]:
        """
        Delete old versions, but neither the serving nor the chosen version.

        Args:
            keep: number of versions to keep, 1 or more; see :meth:`ModelStore.prune`.

        Returns:
            The numbers of the deleted versions, ascending.

        Raises:
            StoreError: if the recorded choice cannot be read, or the disk fails.
        """
        choice = self._choices.current()
        in_use = {choice.version} if choice else set()
        if self.serving:
            in_use.add(self.serving.version.version)
        return self._models.prune(keep, in_use=in_use)

    def _to_try(self, warn: Callable[[str], None]) -> tuple[Choice | None, tuple[int, ...]]:
        """Return the recorded choice, and the versions in the order in which to try them."""
        try:
            return self._choices.current(), self._choices.versions_to_try()
        except StoreError as error:
            newest_first = tuple(reversed(self._models.versions()))
            warn(f'which model was chosen is not known, so the newest serves: {error}')
            return None, newest_first

    def _choose_at_start(
        self, seen: Choice | None, number: int, known: int, warn: Callable[[str], None]
    ) -> Choice | None:
        """Record the version that serves first; return None if another program has chosen one."""
        try:
            return self._choices.choose_instead_of(seen, number, known=known)
        except StoreError as error:
            warn(f'model version {number} serves, but that could not be written down: {error}')
            return self._choices.not_written_down(number, known=known)

    def _swap(self, model: LoadedModel, choice: Choice) -> None:
        """Swap in and announce a model whose choice is recorded."""
        self._serve(model)
        self._announce(model, choice)

    def _announce(self, model: LoadedModel, choice: Choice) -> None:
        self.serving = model
        self._on_swap(model, choice)

    def _find(self, version: int) -> int:
        if version > 0:
            return version
        if version == LATEST:
            found = self._models.latest()
        elif version == PREVIOUS:
            found = self._models.previous(self.serving.version.version) if self.serving else None
        else:
            raise RequestError(
                f'version is {version}: give the number of a version, 0 for the latest or -1 '
                'for the one before the version that serves'
            )
        if found is None:
            before = ' before the one that serves' if self.serving else ''
            raise RequestError(f'There is no model version{before}: train first')
        return found.version

    def _load(self, version: int) -> LoadedModel:
        found, model = self._models.read(version)
        self._check_extractor(found)
        return LoadedModel(found, self._prepare(model))

    def _check_extractor(self, version: ModelVersion) -> None:
        if version.record.extractor != self.extractor:
            raise UnusableModelError(
                f'Model version {version.version} was trained for extractor '
                f'{version.record.extractor[:12]}, and {self.extractor[:12]} is in use: set '
                'extractor to that one, or train again'
            )
