# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
"""
One training, from a snapshot of samples to the bytes of a retrained model.

It trains a head on stored samples (``learning``), appends the head to the extractor
(``model_file``) and evaluates the quantized head (``runtime``).  It writes no files.
"""

from __future__ import annotations

from collections.abc import Callable
import time

from edgetpu_retrain.errors import RequestError, RetrainError, TooFewSamplesError
from edgetpu_retrain.label import is_reserved
from edgetpu_retrain.learning import fit, Head, IntArray, Progress, TrainingReport
from edgetpu_retrain.model_file.description import describe, ModelDescription
from edgetpu_retrain.model_file.head.append_head import append_head
from edgetpu_retrain.model_file.quantization import dequantize
from edgetpu_retrain.runtime.models.head_scoring import HeadScorer
from edgetpu_retrain.store.samples.embedding_kind import EmbeddingKind
from edgetpu_retrain.store.samples.sample import TrainingSet
from edgetpu_retrain.training_options import TrainingOptions
from edgetpu_retrain.training_outcome import TrainingOutcome
import numpy as np

ProgressCallback = Callable[[Progress], None]

# Quantization may reduce the number of correctly classified held-out samples by this share of the
# held-out samples, or by this number, whichever is larger.
_LARGEST_LOSS = 0.01
_SAMPLES_FORGIVEN = 2


class TrainingCancelled(RetrainError):  # noqa: N818
    """The training was cancelled; there is no new model."""


class QuantizationLoss(RetrainError):  # noqa: N818
    """Quantization made the head too inaccurate; there is no new model."""


def retrain(
    samples: TrainingSet,
    extractor_model: bytes,
    options: TrainingOptions,
    *,
    on_progress: ProgressCallback | None = None,
    should_stop: Callable[[], bool] | None = None,
) -> TrainingOutcome:
    """
    Train a head on samples, and append the head to the extractor.

    Args:
        samples: samples of at least two classes.
        extractor_model: bytes of the extractor that computed the embeddings.
        options: the training options.
        on_progress: called after iterations 0, n, 2n, ... of the runs that train heads for
            predictions on held-out samples, if any, and of the run that trains the final head; n
            is ``options.print_every``.  The reported iteration is counted across these runs.
        should_stop: called before every iteration, and several times after the last one; returning
            True cancels the training.

    Returns:
        The model and its metrics.

    Raises:
        TooFewSamplesError: if there are samples of fewer than two classes.
        RequestError: if options or samples are invalid.
        QuantizationLoss: if quantization adds too many mistakes on held-out samples.
        TrainingCancelled: if ``should_stop`` returned True.
        ModelFileError: if no head can be appended to the extractor.
        DeviceError: if there is no runtime to evaluate the model.
    """
    started = time.perf_counter()
    options.validated()
    description = describe(extractor_model)
    _check_classes(samples)
    _check_extractor(samples, description)
    reported = 0

    def report_progress(progress: Progress) -> None:
        nonlocal reported
        reported = progress.iteration + 1
        if on_progress is not None:
            on_progress(progress)

    def check_cancelled() -> bool:
        if should_stop is not None and should_stop():
            raise TrainingCancelled(
                f'The training was cancelled after iteration {reported}; there is no new model.'
            )
        return False

    head, report = _learn(samples, options, report_progress, check_cancelled)
    model = append_head(extractor_model, head)
    check_cancelled()
    quantized_accuracy = _quantized_accuracy(samples, head, report, model)
    check_cancelled()
    return TrainingOutcome(
        model=model,
        head=head,
        sample_counts=_counts(samples),
        report=report,
        quantized_validation_accuracy=quantized_accuracy,
        extractor=description.identity,
        options=options,
        seconds=time.perf_counter() - started,
        input_range=str(description.normalization or ''),
        newest_sample=int(samples.ids.max(initial=0)),
    )


def _learn(
    samples: TrainingSet,
    options: TrainingOptions,
    on_progress: ProgressCallback,
    should_stop: Callable[[], bool],
) -> tuple[Head, TrainingReport]:
    """Return the head trained on all samples, and its report."""
    quantization = samples.quantization
    try:
        head = fit(
            samples.embeddings,
            samples.labels,
            scale=quantization.scale if quantization else None,
            zero_point=quantization.zero_point if quantization else None,
            num_classes=len(samples.names),
            recordings=samples.recordings if len(samples.recordings) else None,
            **options.for_fit(),
            measure_unknown=True,
            on_progress=on_progress,
            should_stop=should_stop,
            report_every=options.print_every,
        )
    except ValueError as error:
        # For example, a batch does not fit into memory, or embeddings are damaged.  The message
        # states the cause.
        raise RequestError(f'The training failed: {error}.') from error
    report = head.metrics
    assert report is not None  # fit always sets the metrics
    return head.with_labels(samples.names), report


def _quantized_accuracy(
    samples: TrainingSet, head: Head, report: TrainingReport, model: bytes
) -> float:
    """
    Return the held-out accuracy minus the loss by quantization; raise if the loss is too large.

    The result is NaN if no samples were held out.  ``report.accuracy`` is the accuracy of heads
    that were trained without the held-out samples.  The final head is trained on all samples, so
    its accuracy on the held-out samples would be too high.  Only the loss by quantization is
    measured with the final head.
    """
    if not len(report.held_out):
        return report.accuracy
    raw, truth = samples.embeddings[report.held_out], samples.labels[report.held_out]
    by_float = head.predict(dequantize(raw, samples.quantization))
    by_quantized = np.argmax(HeadScorer(model).scores(raw), axis=1)
    check_quantized(truth, by_float, by_quantized)
    lost = np.mean(by_float == truth) - np.mean(by_quantized == truth)
    return float(np.clip(report.accuracy - lost, 0.0, 1.0))


def check_quantized(truth: IntArray, by_float: IntArray, by_quantized: IntArray) -> None:
    """
    Raise an error if quantization costs too much accuracy.

    The limit is a loss of 1 % of the samples, or of two samples if that is more.

    Args:
        truth: int64 ``[N]``, true classes of the held-out samples.
        by_float: int64 ``[N]``, predictions of the float head.
        by_quantized: int64 ``[N]``, predictions of the quantized layers in the model file.

    Raises:
        QuantizationLoss: if the loss is above the limit; the message states the loss and how to
            avoid it.
    """
    right, left = int(np.sum(by_float == truth)), int(np.sum(by_quantized == truth))
    if right - left > max(_SAMPLES_FORGIVEN, _LARGEST_LOSS * len(truth)):
        raise QuantizationLoss(
            f'Quantization would cost too much: of {len(truth)} held-out samples the trained head '
            f'has {right} right, but only {left} once quantized. The earlier model stays. Remove '
            'mislabelled or empty samples, or add more samples, and train again.'
        )


def _check_classes(samples: TrainingSet) -> None:
    counts = _counts(samples)
    if len(counts) < 2:
        taught = f'only {next(iter(counts))!r} was' if counts else 'no class was'
        raise TooFewSamplesError(
            f'There is nothing to tell apart: {taught} taught. Add samples of at least two '
            'classes.'
        )
    reserved = [name for name in counts if is_reserved(name)]
    if reserved:
        # Only samples that an earlier release stored can have such a label.
        raise RequestError(
            f'The class {reserved[0]!r} cannot be trained: that name is reserved for '
            'anything unlike the trained classes. Relabel or remove its samples.'
        )


def _check_extractor(samples: TrainingSet, description: ModelDescription) -> None:
    raw = samples.embeddings
    made = EmbeddingKind(raw.shape[1], raw.dtype.name, samples.quantization)
    needed = EmbeddingKind(
        description.dimension, description.output_dtype, description.quantization
    )
    if made != needed:
        raise RequestError(
            f'The samples do not fit the extractor: they are {made}, its embeddings are '
            f'{needed}. Train with the extractor that made them, or add samples with this one.'
        )


def _counts(samples: TrainingSet) -> dict[str, int]:
    counts = np.bincount(samples.labels, minlength=len(samples.names))
    return dict(zip(samples.names, counts.tolist(), strict=True))
