# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
"""ModelVersions: which stored version serves, and the swap from one to another."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
import threading

from edgetpu_retrain.errors import RequestError, RetrainError, StoreError
from edgetpu_retrain.node.models.loaded_model import LoadedModel
from edgetpu_retrain.runtime.engines.engine import PreparedModel
from edgetpu_retrain.store.models.model_record import ModelRecord
from edgetpu_retrain.store.models.model_store import ModelStore, ModelVersion
from edgetpu_retrain.store.models.serving import Choice, ChoiceFile

LATEST = 0
PREVIOUS = -1


@dataclass(frozen=True)
class Wanted:
    """
    What other programs want to serve; equal as long as nothing on the disk has changed.

    Args:
        versions: those that come before the one that serves, the one to try first first; () =
            nobody wants anything else.
        choice: what was written down then.
        files: size and time of each version's files, so that one which was still being copied
            is looked at again.
    """

    versions: tuple[int, ...] = ()
    choice: Choice | None = None
    files: tuple[object, ...] = ()


class ModelVersions:
    """
    The versions of one extractor; every method may be called from any thread.

    Args:
        models: where they are stored.
        identity: of the extractor, the SHA-256 of its file.
        prepare: loads the bytes of a retrained model on every device.
        serve: swaps models between two frames; returns when the new one serves.
        on_swap: called with what serves from now on, one call at a time.
    """

    def __init__(
        self,
        models: ModelStore,
        identity: str,
        prepare: Callable[[bytes], Mapping[str, PreparedModel]],
        serve: Callable[[LoadedModel], None],
        on_swap: Callable[[LoadedModel, Choice], None],
    ) -> None:
        self._models = models
        self._identity = identity
        self._prepare = prepare
        self._serve = serve
        self._on_swap = on_swap
        self._choice = ChoiceFile(models)
        # One new model at a time, until the one before it is let go: how much memory the node
        # ever needs is known after the first swap, and no later coincidence adds to it.
        self._preparing = threading.Lock()
        # From the note on the disk to the announcement: all three tell of the same version.
        self._swapping = threading.Lock()
        self._serving: LoadedModel | None = None

    @property
    def serving(self) -> LoadedModel | None:
        """What serves, None before the first training."""
        return self._serving

    def start(self, warn: Callable[[str], None]) -> LoadedModel | None:
        """
        Load the version to go on with after a start: the last choice, or else the best left.

        A disk that cannot be written to keeps no model from serving.

        Args:
            warn: is told which versions were passed over, and what else is not as it should be.

        Returns:
            None when there is none.

        Raises:
            StoreError: when the folder of the models cannot be read.
        """
        for number in self._to_try(warn):
            try:
                model = self._ready(self._models.load(number))
            except RetrainError as error:  # noqa: PERF203 - a handful of versions, once
                warn(f'model version {number} does not serve: {error}')
            else:
                self._begin_with(model, warn)
                return model
        try:
            # Where a model serves, that was done by writing down which.
            self._models.clear_leftovers()
        except StoreError as error:
            warn(str(error))
        return None

    def load(self, version: int) -> ModelVersion:
        """
        Let another version serve, back or forward; ends when the next frame goes to it.

        Which one is answered, and not the loaded model: whoever keeps the answer keeps no model.

        Args:
            version: its number, :data:`LATEST` or :data:`PREVIOUS`.

        Raises:
            RequestError: when there is no such version.
            RetrainError: when it cannot serve, or the choice cannot be written down; the one
                that serves goes on.
        """
        found = self._find(version)
        with self._preparing:
            model = self._ready(found)
            with self._swapping:
                self._announce(model, self._serve)
        return found

    def add(
        self,
        model: bytes,
        record: Callable[[int], ModelRecord],
        commit: Callable[[], None],
    ) -> ModelVersion:
        """
        Store what this node has trained, and let it serve; ends when the next frame goes to it.

        It is loaded and warm before it is stored, so that nothing is stored that cannot serve; and
        it is stored before it serves, so that a robot that starts again goes on with what it had.

        Args:
            model: bytes of the .tflite file.
            record: from the version that was the newest until now, 0 = none, to what is kept
                beside the model.
            commit: is called between the two; when it raises, nothing is stored.

        Raises:
            StoreError: when it cannot be stored, or the choice cannot be written down.
            RetrainError: when it cannot serve.
        """
        with self._preparing:
            prepared = self._prepare(model)
            commit()
            # All at once: between the two, the version looks like one of another program.
            with self._swapping:
                version = self._models.save(model, record(self._models.newest_version()))
                self._announce(LoadedModel(version, prepared), self._serve)
        return version

    def wanted(self) -> Wanted | None:
        """
        Return what other programs have trained or chosen, None while a swap is under way.

        It reads a small file and lists the folder, and never waits.

        Raises:
            StoreError: when they cannot be read.
        """
        if not self._swapping.acquire(blocking=False):
            return None
        try:
            choice = self._choice.current()
            numbers = self._choice.wanted(choice)
            if self._serving and self._serving.version.version in numbers:
                numbers = numbers[: numbers.index(self._serving.version.version)]
        finally:
            self._swapping.release()
        return Wanted(numbers, choice, tuple(map(self._models.files_of, numbers)))

    def check(self, version: int) -> ModelVersion:
        """
        Return a version that may serve here; whether a runtime takes it is not tried.

        Raises:
            StoreError: when it is damaged, or of another extractor.
        """
        return self._of_this_extractor(self._models.load(version))

    def follow(self, version: int, seen: Choice | None) -> ModelVersion | None:
        """
        Let a version serve that another program wants; ends when the next frame goes to it.

        Args:
            version: its number.
            seen: the choice when it was decided on.

        Returns:
            None when somebody has chosen otherwise meanwhile; nothing is swapped then.

        Raises:
            RetrainError: when it cannot serve; the one that serves goes on.
        """
        found = self._models.load(version)
        with self._preparing:
            model = self._ready(found)
            with self._swapping:
                choice = self._choice.choose_instead_of(seen, version)
                if choice is None:
                    return None
                self._serve(model)
                self._report_swap(model, choice)
        return found

    def prune(self, keep: int) -> tuple[int, ...]:
        """
        Delete old versions, see :meth:`ModelStore.prune`; returns their numbers.

        Neither what serves is deleted nor what another program has chosen to serve next.
        """
        choice = self._choice.current()
        in_use = {choice.version} if choice else set()
        if self._serving:
            in_use.add(self._serving.version.version)
        return self._models.prune(keep, in_use=in_use)

    def _to_try(self, warn: Callable[[str], None]) -> tuple[int, ...]:
        try:
            return self._choice.versions_to_try()
        except StoreError as error:
            newest_first = tuple(reversed(self._models.versions()))
            warn(f'which model was chosen is not known, so the newest serves: {error}')
            return newest_first

    def _begin_with(self, model: LoadedModel, warn: Callable[[str], None]) -> None:
        number = model.version.version
        try:
            with self._swapping:
                self._announce(model)
        except StoreError as error:
            warn(f'model version {number} serves, but that could not be written down: {error}')
            with self._swapping:
                self._serving = model
                self._on_swap(model, self._choice.not_written_down(number))

    def _announce(
        self, model: LoadedModel, serve: Callable[[LoadedModel], None] | None = None
    ) -> None:
        # On the disk first: a robot that starts again goes on with what it had.
        choice = self._choice.choose(model.version.version)
        if serve is not None:
            serve(model)
        self._report_swap(model, choice)

    def _report_swap(self, model: LoadedModel, choice: Choice) -> None:
        self._serving = model
        self._on_swap(model, choice)

    def _find(self, version: int) -> ModelVersion:
        if version == LATEST:
            found = self._models.latest()
        elif version == PREVIOUS:
            serving = self._serving
            found = self._models.previous(serving.version.version) if serving else None
        elif version > 0:
            return self._models.load(version)
        else:
            raise RequestError(
                f'version is {version}: give the number of a version, 0 for the latest or -1 '
                'for the one before the version that serves'
            )
        if found is None:
            before = ' before the one that serves' if self._serving else ''
            raise RequestError(f'There is no model version{before}: train first')
        return found

    def _ready(self, version: ModelVersion) -> LoadedModel:
        found = self._of_this_extractor(version)
        return LoadedModel(found, self._prepare(found.read_model()))

    def _of_this_extractor(self, version: ModelVersion) -> ModelVersion:
        if version.record.extractor != self._identity:
            raise StoreError(
                f'Model version {version.version} was trained for extractor '
                f'{version.record.extractor[:12]}, and {self._identity[:12]} is in use: set '
                'extractor to that one, or train again'
            )
        return version
