# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
"""TrainingReport: how a head was trained, and its held-out metrics."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Literal

from edgetpu_retrain.learning.arrays import FloatArray, IntArray
from edgetpu_retrain.learning.held_out import HeldOutUnit, worst_unit
import numpy as np
import numpy.typing as npt

# Maximum number of classes in a list of the report; the list of metrics has the worst classes.
_CLASSES_NAMED = 20

# The report warns if one class has more than this many times as many samples as another.
_UNEVEN = 3

TAUGHT_IN_ONE_GO = 'taught in one go: these figures say nothing about another day'
"""The note on the metrics of classes that have only one recording."""

Method = Literal['held-out split', 'cross-validation', 'none']


@dataclass(frozen=True, eq=False)
class TrainingReport:
    """
    How ``fit`` trained a head, and the metrics of that head.

    Except for train_accuracy, the metrics are measured on held-out samples, with heads that the
    same recipe trained without these samples.

    Args:
        method: 'held-out split'; 'cross-validation' if there are too few samples or recordings;
            'none' if nothing could be measured, because every class has a single sample.
        num_samples: number of samples, including the held-out ones.
        iterations: training steps of the returned head.
        measuring_runs: training steps of each measured head.
        accuracy: accuracy on the held-out samples; NaN with method 'none'.
        train_accuracy: accuracy of the returned head on all samples.
        expected_calibration_error: gap between confidence and accuracy on the held-out samples,
            0 to 1, with the temperature fitted on them; NaN with method 'none'.
        rejection_rate: share of known samples that the threshold may classify as unknown.
        confusion_matrix: int64 ``[C, C]`` of the held-out samples, row = truth.
        held_out: int64 ``[M]``, rows of the held-out samples.
        class_counts: int64 ``[C]``, samples of each class.
        balanced: whether all classes were sampled equally often.
        warm_start: whether training started from an earlier head.
        stopped: whether the caller stopped the training early.
        diverged: whether the training diverged, so that earlier weights were kept.
        held_out_units: the unit in which each class was held out, 'recordings', 'blocks' or
            'frames'; None for a class of which nothing was held out.  () if not known.
        noticed: float32 ``[C]``, the share of each class's samples that a head trained without the
            class classifies as unknown; NaN for a class that was not measured.  None if the caller
            did not request it, or if the training was stopped or diverged.
    """

    method: Method
    num_samples: int
    iterations: int
    measuring_runs: tuple[int, ...]
    accuracy: float
    train_accuracy: float
    expected_calibration_error: float
    rejection_rate: float
    confusion_matrix: IntArray
    held_out: IntArray = field(repr=False)
    class_counts: IntArray
    balanced: bool = True
    warm_start: bool = False
    stopped: bool = False
    diverged: bool = False
    held_out_units: tuple[HeldOutUnit | None, ...] = ()
    noticed: FloatArray | None = field(default=None, repr=False)

    @property
    def measuring_iterations(self) -> int:
        """Training steps of all measured heads together."""
        return sum(self.measuring_runs)

    @property
    def held_out_unit(self) -> HeldOutUnit:
        """
        The worst unit in which any class was held out.

        The metrics predict the accuracy on another day only if this unit is 'recordings'.
        """
        return worst_unit(self.held_out_units)

    @property
    def flawless_in_one_go(self) -> bool:
        """Whether no held-out sample was misclassified, but some class has only one recording."""
        return self.accuracy == 1.0 and self.held_out_unit != 'recordings'

    @property
    def recall(self) -> npt.NDArray[np.float64]:
        """Recall per class on the held-out samples; NaN for a class without held-out samples."""
        return _shares(self.confusion_matrix, axis=1)

    @property
    def precision(self) -> npt.NDArray[np.float64]:
        """Precision per class on the held-out samples; NaN for a class that was not predicted."""
        return _shares(self.confusion_matrix, axis=0)

    def most_confused_with(self, number: int) -> tuple[int, int] | None:
        """
        Return the wrong class that was most often predicted for samples of a class, and how often.

        Args:
            number: index of the true class.

        Returns:
            Class index and number of samples; None if no sample of the class was misclassified.
        """
        row = self.confusion_matrix[number].copy()
        row[number] = 0
        other = int(np.argmax(row))
        return (other, int(row[other])) if row[other] else None

    def __str__(self) -> str:
        """Return the report as text, with class numbers instead of names."""
        return self.in_words()

    def in_words(self, names: Sequence[str] = ()) -> str:
        """
        Return the report as text of several lines.

        Args:
            names: the class names, in order; () to use class numbers instead.
        """
        classes = len(self.confusion_matrix)
        shown = [repr(name) for name in names] or [f'class {n}' for n in range(classes)]
        start = ' from an earlier head' if self.warm_start else ''
        measuring = self.measuring_iterations
        rest = f', {measuring} of them to measure the accuracy' if measuring else ''
        # Count the iterations of all runs, as the progress reports do.
        trained = (
            f'Trained {classes} classes on {self.num_samples} samples '
            f'in {self.iterations + measuring} iterations{start}{rest}.'
        )
        lines = [trained, self._how_measured()]
        if self.method != 'none':
            lines += self._what_was_held_out(shown) + self._unknown(shown)
            lines += self._most_confused(shown)
            lines += [] if self.flawless_in_one_go else self._class_lines(shown)
        return '\n'.join([*lines, *self._warnings(shown)])

    def _warnings(self, names: list[str]) -> list[str]:
        warnings = []
        most, least = int(self.class_counts.argmax()), int(self.class_counts.argmin())
        if self.class_counts[most] > _UNEVEN * self.class_counts[least]:
            balance = (
                'training draws every class equally often to make up for it'
                if self.balanced
                else 'the small classes will be recognized less often'
            )
            warnings.append(
                f'Uneven classes: {names[most]} has {self.class_counts[most]} samples, '
                f'{names[least]} only {self.class_counts[least]}; {balance}. '
                f'Add samples of the small classes.'
            )
        if self.diverged:
            warnings.append(
                'Training diverged: a step would have made the weights infinite. The last good '
                'weights were kept; choose a smaller learning_rate.'
            )
        if self.stopped:
            warnings.append('Training was stopped before its end.')
        if self.warm_start and self.method != 'none':
            warnings.append(
                'The earlier head may have been trained on the held-out samples, so the metrics '
                'are those of an equally short training without it; the returned head is better.'
            )
        return warnings

    def _how_measured(self) -> str:
        measured = int(self.confusion_matrix.sum())
        if self.method == 'none':
            why = ': every class has one sample.' if self.class_counts.max() == 1 else '.'
            return (
                f'Nothing could be measured{why} Confidence is a guess and no sample will be '
                'classified as unknown; add samples.'
            )
        how = {
            'held-out split': 'held out before the final training on all samples',
            'cross-validation': 'each judged by a head not trained on it (cross-validation)',
        }[self.method]
        right = f'{100 * self.accuracy:.1f} % right of {measured} samples'
        if self.flawless_in_one_go:
            right = f'No mistake in {measured} samples'
        return (
            f'{right} {how}; confidence and '
            f'accuracy differ by {100 * self.expected_calibration_error:.1f} '
            f'points on average. At most about {100 * self.rejection_rate:.0f} % of known things '
            'will be classified as unknown in views like these.'
        )

    def _what_was_held_out(self, names: list[str]) -> list[str]:
        if self.held_out_unit == 'recordings':
            return ['Whole recordings were held out.']
        units = self.held_out_units
        once = [name for name, unit in zip(names, units, strict=False) if unit != 'recordings']
        who = 'All classes'
        if 0 < len(once) < len(names):
            who = ', '.join(once[:_CLASSES_NAMED])
            who += f' and {len(once) - _CLASSES_NAMED} more' if len(once) > _CLASSES_NAMED else ''
        were = 'was' if len(once) == 1 else 'were'
        return [f'{who} {were} {TAUGHT_IN_ONE_GO}.']

    def _unknown(self, names: list[str]) -> list[str]:
        if self.noticed is None or np.isnan(self.noticed).all():
            return []
        mean, least = float(np.nanmean(self.noticed)), int(np.nanargmin(self.noticed))
        words = (
            f'Of views like these of things that were not taught, about {100 * mean:.0f} % would '
            f'be classified as unknown (each class left out in turn); of {names[least]}, '
            f'{100 * self.noticed[least]:.0f} %.'
        )
        return [words]

    def _most_confused(self, names: list[str]) -> list[str]:
        mistakes = self.confusion_matrix.copy()
        np.fill_diagonal(mistakes, 0)
        truth, predicted = np.unravel_index(np.argmax(mistakes), mistakes.shape)
        count, total = int(mistakes[truth, predicted]), int(self.confusion_matrix[truth].sum())
        if not count:
            return ['No two classes were confused.']
        return [f'Most confused: {count} of {total} {names[truth]} taken for {names[predicted]}.']

    def _class_lines(self, names: list[str]) -> list[str]:
        recall, precision = self.recall, self.precision
        worst = np.argsort(np.nan_to_num(np.minimum(recall, precision), nan=-1.0), kind='stable')
        shown = sorted(int(number) for number in worst[:_CLASSES_NAMED])
        lines = []
        for number in shown:
            pair = self.most_confused_with(number)
            mostly = '' if pair is None else f', mostly taken for {names[pair[0]]} ({pair[1]})'
            lines.append(
                f'{names[number]}: precision {_percent(precision[number])}, '
                f'recall {_percent(recall[number])}{mostly}.'
            )
        if len(names) > len(shown):
            lines.append(f'The other {len(names) - len(shown)} classes did better.')
        return lines


def _shares(matrix: IntArray, axis: int) -> npt.NDArray[np.float64]:
    totals = matrix.sum(axis=axis).astype(np.float64)
    totals[totals == 0] = np.nan
    shares: npt.NDArray[np.float64] = np.diagonal(matrix) / totals
    return shares


def _percent(share: float) -> str:
    return 'not measured' if np.isnan(share) else f'{100 * share:.0f} %'
