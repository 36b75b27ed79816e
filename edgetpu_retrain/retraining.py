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
"""
One training, from a snapshot of samples to the bytes of a retrained model.

This is where the rooms meet: samples from the store, a head from learning, a model file with
that head, and the runtime's opinion of it.  It knows nothing of ROS and writes no file.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
import time

from edgetpu_retrain.errors import RequestError, RetrainError
from edgetpu_retrain.learning import (
    accuracy,
    confusion_matrix,
    FloatArray,
    Head,
    IntArray,
    Progress,
    SoftmaxRegression,
    stratified_split,
)
from edgetpu_retrain.model_file.append_head import append_head
from edgetpu_retrain.model_file.description import describe, ModelDescription
from edgetpu_retrain.model_file.quantization import dequantize
from edgetpu_retrain.runtime.head_scoring import score_embeddings
from edgetpu_retrain.store.embedding_kind import EmbeddingKind, RawArray
from edgetpu_retrain.store.samples import SampleSet
from edgetpu_retrain.training_options import TrainingOptions
from edgetpu_retrain.training_outcome import TrainingOutcome
import numpy as np

__all__ = [
    'ProgressCallback',
    'StopQuestion',
    'TrainingCancelled',
    'TrainingOptions',
    'TrainingOutcome',
    'retrain',
]

_FEWEST_SAMPLES = 2

ProgressCallback = Callable[[Progress], None]
StopQuestion = Callable[[], bool]


class TrainingCancelled(RetrainError):  # noqa: N818
    """Training ended early because it was asked to; there is no new model."""


def retrain(
    samples: SampleSet,
    extractor_model: bytes,
    options: TrainingOptions,
    *,
    on_progress: ProgressCallback | None = None,
    should_stop: StopQuestion | None = None,
) -> TrainingOutcome:
    """
    Train a head on samples and append it to their extractor.

    Args:
        samples: at least two classes with at least two samples each.
        extractor_model: bytes of the .tflite file that made the embeddings.
        options: what was asked for.
        on_progress: called after iterations 0, n, 2n, ... with n ``options.print_every``.
        should_stop: asked before every iteration and every later step.

    Raises:
        RequestError: when options or samples do not allow a training, or it diverged.
        TrainingCancelled: when ``should_stop`` answered True.
        ModelFileError: when the extractor cannot take a head.
        DeviceError: when there is no runtime to measure the model with.
    """
    started = time.perf_counter()
    options.validated()
    description = describe(extractor_model)
    _check_classes(samples)
    _check_made_by(samples, description)
    cancel_if_asked = _Cancellation(should_stop, options)
    parts = _split(samples, options)
    head = _learn(parts, samples.names, options, on_progress, cancel_if_asked)
    model = append_head(extractor_model, head)
    cancel_if_asked()
    scores = score_embeddings(model, parts.held_out_raw)
    cancel_if_asked()
    answers = head.predict(parts.held_out)
    truth = parts.held_out_labels
    return TrainingOutcome(
        model=model,
        head=head,
        labels=head.labels,
        sample_counts=_counts(samples),
        train_accuracy=accuracy(parts.train_labels, head.predict(parts.train)),
        validation_accuracy=accuracy(truth, answers),
        quantized_validation_accuracy=accuracy(truth, np.argmax(scores, axis=1)),
        confusion_matrix=confusion_matrix(truth, answers, head.num_classes),
        extractor=description.identity,
        options=options,
        seconds=time.perf_counter() - started,
    )


@dataclass(frozen=True, eq=False)
class _Parts:
    """Samples to learn from and samples to measure with; float32 ``[N, D]``, int64 ``[N]``."""

    train: FloatArray
    train_labels: IntArray
    held_out: FloatArray
    held_out_labels: IntArray
    held_out_raw: RawArray


def _split(samples: SampleSet, options: TrainingOptions) -> _Parts:
    rng = np.random.default_rng(options.seed)
    train, held_out = stratified_split(samples.labels, options.validation_fraction, rng)
    held_out_raw = samples.embeddings[held_out]
    return _Parts(
        dequantize(samples.embeddings[train], samples.quantization),
        samples.labels[train],
        dequantize(held_out_raw, samples.quantization),
        samples.labels[held_out],
        held_out_raw,
    )


class _Cancellation:
    """Asks whether to stop, and raises TrainingCancelled when the answer is True."""

    def __init__(self, should_stop: StopQuestion | None, options: TrainingOptions) -> None:
        self._should_stop = should_stop
        self._num_iter = options.num_iter
        self._iteration = 0

    def __call__(self) -> bool:
        if self._should_stop is not None and self._should_stop():
            raise TrainingCancelled(
                f'The training was cancelled after {min(self._iteration, self._num_iter)} of '
                f'{self._num_iter} iterations; there is no new model.'
            )
        self._iteration += 1
        return False


def _learn(
    parts: _Parts,
    names: tuple[str, ...],
    options: TrainingOptions,
    on_progress: ProgressCallback | None,
    cancel_if_asked: StopQuestion,
) -> Head:
    """Return the head learned from the training part."""

    def report(iteration: int, loss: float, train_right: float, held_out_right: float) -> None:
        if on_progress is not None:
            on_progress(Progress(iteration, options.num_iter, loss, train_right, held_out_right))

    regression = SoftmaxRegression(
        parts.train.shape[1],
        len(names),
        options.weight_scale,
        options.reg,
        seed=options.seed,
    )
    try:
        regression.train_with_sgd(
            {
                'data_train': parts.train,
                'labels_train': parts.train_labels,
                'data_val': parts.held_out,
                'labels_val': parts.held_out_labels,
            },
            options.num_iter,
            options.learning_rate,
            options.batch_size,
            options.print_every,
            callback=report,
            should_stop=cancel_if_asked,
            silent=True,
        )
    except ValueError as error:
        # It diverged, or the batch does not fit the memory; the sentence names the option.
        raise RequestError(f'The training failed: {error}.') from error
    return regression.head(names)


def _check_classes(samples: SampleSet) -> None:
    counts = _counts(samples)
    if len(counts) < 2:
        taught = f'only {next(iter(counts))!r} was' if counts else 'no class was'
        raise RequestError(
            f'There is nothing to tell apart: {taught} taught. Add samples of at least two '
            f'classes, {_FEWEST_SAMPLES} or more of each.'
        )
    few = [name for name, count in counts.items() if count < _FEWEST_SAMPLES]
    if few:
        raise RequestError(
            f'Too few samples of {", ".join(map(repr, few))}: each class needs at least '
            f'{_FEWEST_SAMPLES}, one to learn from and one to measure with. Add samples, or '
            'remove the class.'
        )


def _check_made_by(samples: SampleSet, description: ModelDescription) -> None:
    raw = samples.embeddings
    made = EmbeddingKind(raw.shape[1], raw.dtype.name, samples.quantization)
    needed = EmbeddingKind(
        description.dimension, description.output_dtype, description.quantization
    )
    if made != needed:
        raise RequestError(
            f'The samples do not fit the extractor: they are {made}, its embeddings are '
            f'{needed}. Train with the extractor that made them, or teach again with this one.'
        )


def _counts(samples: SampleSet) -> dict[str, int]:
    counts = np.bincount(samples.labels, minlength=len(samples.names))
    return dict(zip(samples.names, counts.tolist(), strict=True))
