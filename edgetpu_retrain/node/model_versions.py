# Copyright 2026 edgetpu_retrain contributors
#
# Licensed under the Apache License, Version 2.0 (the "License");
# you may not use this file except in compliance with the License.
# You may obtain a copy of the License at
#
#     http://www.apache.org/licenses/LICENSE-2.0
#
# Unless required by applicable law or agreed to in writing, software
# distributed under the License is distributed on an "AS IS" BASIS,
# WITHOUT WARRANTIES OR CONDITIONS OF ANY KIND, either express or implied.
# See the License for the specific language governing permissions and
# limitations under the License.
"""ModelVersions: which stored version serves, and the swap from one to another."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Future
import threading

from edgetpu_retrain.errors import RequestError, RetrainError, StoreError
from edgetpu_retrain.node.served_model import ServedModel
from edgetpu_retrain.runtime.engine import Servable
from edgetpu_retrain.store.models import ModelStore, ModelVersion
from edgetpu_retrain.store.serving import Serving, ServingChoice

LATEST = 0
PREVIOUS = -1


class ModelVersions:
    """
    The versions of one extractor; every method may be called from any thread.

    Args:
        models: where they are stored.
        identity: of the extractor, the SHA-256 of its file.
        prepare: makes a retrained model's bytes ready to serve.
        on_swap: is told what serves from now on, one call at a time.
    """

    def __init__(
        self,
        models: ModelStore,
        identity: str,
        prepare: Callable[[bytes], Servable],
        on_swap: Callable[[ServedModel, Serving], None],
    ) -> None:
        self._models = models
        self._identity = identity
        self._prepare = prepare
        self._on_swap = on_swap
        self._choice = ServingChoice(models)
        # From the note on the disk to the announcement: all three tell of the same version.
        self._swapping = threading.Lock()
        self._serve: Callable[[ServedModel], Future[None]] | None = None
        self._serving: ServedModel | None = None

    @property
    def serving(self) -> ServedModel | None:
        """What serves, None before the first training."""
        return self._serving

    def swap_with(self, serve: Callable[[ServedModel], Future[None]]) -> None:
        """Tell what swaps models between two frames; it answers when the new one serves."""
        self._serve = serve

    def start(self, warn: Callable[[str], None]) -> ServedModel | None:
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

    def load(self, version: int) -> ServedModel:
        """
        Let another version serve, back or forward; ends when the next frame goes to it.

        Args:
            version: its number, :data:`LATEST` or :data:`PREVIOUS`.

        Raises:
            RequestError: when there is no such version.
            RetrainError: when it cannot serve; the one that serves goes on.
        """
        model = self._ready(self._find(version))
        self.swap(model)
        return model

    def swap(self, model: ServedModel) -> None:
        """
        Let a loaded version serve; ends when the next frame goes to it.

        Raises:
            StoreError: when the choice cannot be written down; nothing is swapped then.
        """
        assert self._serve is not None
        with self._swapping:
            self._announce(model, self._serve)

    def prune(self, keep: int) -> tuple[int, ...]:
        """Delete old versions, see :meth:`ModelStore.prune`; returns their numbers."""
        serving = self._serving.version.version if self._serving else 0
        return self._models.prune(keep, serving=serving)

    def _to_try(self, warn: Callable[[str], None]) -> tuple[int, ...]:
        try:
            return self._choice.versions_to_try()
        except StoreError as error:
            newest_first = tuple(reversed(self._models.versions()))
            warn(f'which model was chosen is not known, so the newest serves: {error}')
            return newest_first

    def _begin_with(self, model: ServedModel, warn: Callable[[str], None]) -> None:
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
        self, model: ServedModel, serve: Callable[[ServedModel], Future[None]] | None = None
    ) -> None:
        # On the disk first: a robot that starts again goes on with what it had.
        choice = self._choice.choose(model.version.version)
        if serve is not None:
            serve(model).result()
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

    def _ready(self, version: ModelVersion) -> ServedModel:
        if version.record.extractor != self._identity:
            raise StoreError(
                f'Model version {version.version} was trained for extractor '
                f'{version.record.extractor[:12]}, and {self._identity[:12]} is in use: set '
                'extractor to that one, or train again'
            )
        return ServedModel(version, self._prepare(version.read_model()))
