# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
"""
Chooses the samples that are held out of a training to measure the trained head.

Samples of one recording (one burst or one visit) share light, place and views.  If single samples
are held out, the head is trained on their neighbours, and the metrics are not valid for another
day.  Therefore whole recordings are held out (Roberts et al., 'Cross-validation strategies for
data with temporal, spatial, hierarchical, or phylogenetic structure', Ecography 40, 2017).

If a class has only one recording, contiguous blocks of it are held out, as in the same paper.  A
held-out sample is not evaluated if it has a near copy next to its block.  If most held-out samples
of a class have near copies, single samples are held out instead of blocks, and all are evaluated.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal, TypeAlias

from edgetpu_retrain.learning.arrays import FloatArray, IntArray
from edgetpu_retrain.learning.embedding_rows import EmbeddingRows
import numpy as np
import numpy.typing as npt

BoolArray: TypeAlias = npt.NDArray[np.bool_]

HeldOutUnit = Literal['recordings', 'blocks', 'frames']
"""The unit in which samples of a class are held out; the values are listed from best to worst."""

_BEST_FIRST: tuple[HeldOutUnit, ...] = ('recordings', 'blocks', 'frames')

ALWAYS_TRAINED = -1
"""The fold of a sample that is never held out, such as the only one of a class."""

# A recording with a larger share of its class is not held out: a head that is trained on the rest
# differs too much from a head that is trained on all samples.
_LARGEST_SHARE = 2 / 3

# Two samples are near copies if their squared distance, relative to the mean squared distance
# between samples, is below this.  With EfficientNet-Lite0, the ratio is 0.02 to 0.08 for frames
# of a burst (5th to 95th percentile; a cosine distance of 0.01 to 0.03), and at least 0.11 for
# other views.
_NEAR_COPY = 0.08
# Maximum number of rows from which the mean distance is estimated, and of rows compared at once.
_ROWS_FOR_DISTANCE = 512

# Minimum share of a class's held-out samples without near copies.  Below it, single samples are
# held out instead of blocks.
_FEWEST_EVALUATED = 0.5

# Maximum number of samples on each side of a block that are searched for near copies.
_NEIGHBOURS = 64


@dataclass(frozen=True, eq=False)
class Folds:
    """
    The fold in which each sample is held out.

    Args:
        fold_of: int64 ``[N]``, the fold (0, 1, ...) in which each sample is held out, or
            ALWAYS_TRAINED.
        evaluated: bool ``[N]``, whether each sample is held out and evaluated.
        units: the held-out unit of each class; None for a class with one sample.
        evaluated_recordings: number of evaluated recordings of each class; 0 if no sample is held
            out, or if most held-out samples are near copies of training samples.
    """

    fold_of: IntArray
    evaluated: BoolArray
    units: tuple[HeldOutUnit | None, ...]
    evaluated_recordings: tuple[int, ...]

    @property
    def unit(self) -> HeldOutUnit:
        """The worst held-out unit of all classes."""
        return worst_unit(self.units)

    @property
    def count(self) -> int:
        """Number of folds; 0 if nothing can be held out."""
        return int(self.fold_of.max()) + 1

    def trained_in(self, fold: int) -> IntArray:
        """Return the rows to train on in a fold, int64, ascending."""
        return np.flatnonzero(self.fold_of != fold)

    def evaluated_in(self, fold: int) -> IntArray:
        """Return the rows to evaluate in a fold, int64, ascending; there may be none."""
        return np.flatnonzero((self.fold_of == fold) & self.evaluated)


def worst_unit(units: Iterable[HeldOutUnit | None]) -> HeldOutUnit:
    """Return the worst of the units that are not None; 'frames' if there are none."""
    return max((unit for unit in units if unit), key=_BEST_FIRST.index, default='frames')


def hold_out(
    rows: EmbeddingRows,
    labels: IntArray,
    recordings: IntArray | None,
    rng: np.random.Generator,
    *,
    folds: int = 5,
    share: float = 0.2,
) -> Folds:
    """
    Choose the samples to hold out.

    With one fold, about the given share of each class is held out.  With more folds, each sample
    of a class with one recording is held out once if there are at least ``1 / share`` folds.  In a
    class with several recordings, a recording is held out once if it has at most two thirds of the
    class's samples, unless no other recording would be left to train on.

    Recordings with the same number in several classes are held out together if possible: a head
    should not be trained on a day in one class and evaluated on the same day in another class.

    Args:
        rows: the embeddings of N samples.
        labels: int64 ``[N]``, their classes.
        recordings: int64 ``[N]``, the number of each sample's recording; the samples of a
            recording are in the order of capture.  None = each class is one recording.
        rng: random generator; the same state gives the same folds.
        folds: number of folds, 1 or more.
        share: share of each class to hold out in a fold, above 0, below 1.

    >>> rng = np.random.default_rng(0)
    >>> rows, labels = EmbeddingRows(rng.standard_normal((40, 8))), np.repeat([0, 1], 20)
    >>> chosen = hold_out(rows, labels, np.arange(40) // 10, rng, folds=2)
    >>> chosen.unit, chosen.fold_of[::10].tolist()
    ('recordings', [0, 1, 0, 1])
    """
    fold_of = np.full(len(labels), ALWAYS_TRAINED, np.int64)
    evaluated = np.ones(len(labels), bool)
    classes = int(labels.max()) + 1
    several = np.zeros(classes, bool)
    if recordings is not None:
        several = _hold_out_recordings(fold_of, labels, recordings, rng, folds, share)
    copies = _NearCopies(rows)
    units: list[HeldOutUnit | None] = []
    counts: list[int] = []
    for number, members in enumerate(_members(labels)):
        unit: HeldOutUnit | None = None
        seen = 0
        if several[number]:
            unit = 'recordings'
            assert recordings is not None
            seen = len(np.unique(recordings[members[fold_of[members] >= 0]]))
        elif len(members) > 1:
            parts = _blocks(len(members), folds, share, rng)
            fold_of[members], seen = parts, 1
            evaluated[members] = ~copies.across(members, parts)
            unit = 'blocks' if np.bincount(parts[parts >= 0]).max() > 1 else 'frames'
            if evaluated[members[parts >= 0]].mean() < _FEWEST_EVALUATED:
                fold_of[members], unit, seen = rng.permutation(parts), 'frames', 0
                evaluated[members] = True
        units.append(unit)
        counts.append(seen)
    return Folds(fold_of, evaluated & (fold_of >= 0), tuple(units), tuple(counts))


def recording_counts(labels: IntArray, recordings: IntArray | None) -> IntArray:
    """Return the number of recordings of each class, int64 ``[C]``: 1 if recordings is None."""
    if recordings is None:
        recordings = np.zeros_like(labels)
    pairs = np.unique(np.stack([labels, recordings]), axis=1)
    return np.bincount(pairs[0]).astype(np.int64)


def _members(labels: IntArray) -> list[IntArray]:
    """Return the rows of each class, ascending."""
    order = np.argsort(labels, kind='stable')
    return np.split(order, np.cumsum(np.bincount(labels))[:-1])


def _blocks(count: int, folds: int, share: float, rng: np.random.Generator) -> IntArray:
    """Return the fold of each of ``count`` consecutive samples; each fold is contiguous."""
    parts = np.full(count, ALWAYS_TRAINED, np.int64)
    if folds == 1:
        # Round half up, unlike round(), which rounds half to even.
        size = min(max(int(share * count + 0.5), 1), count - 1)
        start = int(rng.integers(count - size + 1))
        parts[start:][:size] = 0
        return parts
    groups = max(folds, min(round(1.0 / share), count))
    # Start each class at a random fold, because otherwise all small classes would use the same
    # folds.
    numbers = (np.arange(count) * groups // count + rng.integers(groups)) % groups
    parts[numbers < folds] = numbers[numbers < folds]
    return parts


class _NearCopies:
    """Finds held-out samples that are near copies of samples next to their block."""

    def __init__(self, rows: EmbeddingRows) -> None:
        self._rows = rows
        self._limit = near_copy_limit(rows)

    def across(self, members: IntArray, parts: IntArray) -> BoolArray:
        """
        Return which rows have a near copy among the neighbours of their block, bool ``[M]``.

        Args:
            members: int64 ``[M]``, the rows of a recording in the order of capture.
            parts: int64 ``[M]``, their folds; each fold is a contiguous block.
        """
        found = np.zeros(len(members), bool)
        for part in range(int(parts.max()) + 1):
            inside = np.flatnonzero(parts == part)
            if not len(inside):
                continue
            first, last = int(inside[0]), int(inside[-1]) + 1
            before, after = members[:first][-_NEIGHBOURS:], members[last:][:_NEIGHBOURS]
            found[inside] = self._near(members[inside], np.concatenate([before, after]))
        return found

    def _near(self, inside: IntArray, beside: IntArray) -> BoolArray:
        others = self._rows.floats(beside)
        found = np.empty(len(inside), bool)
        for start in range(0, len(inside), _ROWS_FOR_DISTANCE):
            part = slice(start, start + _ROWS_FOR_DISTANCE)
            found[part] = (
                squared_distances(self._rows.floats(inside[part]), others).min(axis=1)
                < self._limit
            )
        return found


def near_copy_limit(rows: EmbeddingRows) -> float:
    """Return the squared distance below which two samples are near copies of each other."""
    some = rows.floats(
        np.unique(np.linspace(0, rows.count - 1, _ROWS_FOR_DISTANCE).astype(np.int64))
    )
    return _NEAR_COPY * 2.0 * float(some.var(axis=0).sum())


def squared_distances(some: FloatArray, others: FloatArray) -> FloatArray:
    """Return the squared distances, ``[M, K]``, between the rows of ``[M, D]`` and ``[K, D]``."""
    center = others.mean(axis=0)
    some, others = some - center, others - center
    lengths = np.einsum('kd,kd->k', others, others)
    distances: FloatArray = np.einsum('md,md->m', some, some)[:, np.newaxis] + lengths
    distances -= 2.0 * (some @ others.T)
    return distances


def _hold_out_recordings(
    fold_of: IntArray,
    labels: IntArray,
    recordings: IntArray,
    rng: np.random.Generator,
    folds: int,
    share: float,
) -> BoolArray:
    """Set the folds of classes with several recordings; return which classes these are."""
    pairs, pair_of, sizes = np.unique(
        np.stack([recordings, labels]), axis=1, return_inverse=True, return_counts=True
    )
    numbers, classes = pairs
    totals = np.bincount(labels)
    several: BoolArray = np.bincount(classes, minlength=len(totals)) > 1
    fits = several[classes] & (sizes <= _LARGEST_SHARE * totals[classes])
    if folds == 1:
        held_out = _some_recordings(numbers, classes, sizes, fits, rng, share)
        fold_of_pair = np.where(held_out, 0, ALWAYS_TRAINED)
    else:
        fold_of_pair = _recordings_in_turn(numbers, classes, fits, folds)
        for number in np.flatnonzero(several):
            own = np.flatnonzero(classes == number)
            if len(np.unique(fold_of_pair[own])) == 1:
                # All recordings are in the same fold: always train on the largest one.
                fold_of_pair[own[np.argmax(sizes[own])]] = ALWAYS_TRAINED
    fold_of[:] = fold_of_pair[pair_of.reshape(-1)]
    return several


def _some_recordings(
    numbers: IntArray,
    classes: IntArray,
    sizes: IntArray,
    fits: BoolArray,
    rng: np.random.Generator,
    share: float,
) -> BoolArray:
    """Return which recordings to hold out, about the given share of each class."""
    held_out = np.zeros(len(numbers), bool)
    _, place = np.unique(numbers, return_inverse=True)
    turn = rng.permutation(int(place.max()) + 1)[place]
    order = np.lexsort([turn, classes])
    for own in np.split(order, np.flatnonzero(np.diff(classes[order])) + 1):
        offered = own[fits[own]]
        if len(offered):
            reached = np.cumsum(sizes[offered])
            wanted = share * sizes[own].sum()
            most = len(offered) if len(offered) < len(own) else len(own) - 1
            taken = 1 + int(np.argmin(np.abs(reached[:most] - wanted)))
            held_out[offered[:taken]] = True
    return held_out


def _recordings_in_turn(
    numbers: IntArray, classes: IntArray, fits: BoolArray, folds: int
) -> IntArray:
    """
    Return the fold of each recording; ALWAYS_TRAINED where ``fits`` is False.

    Recordings with the same number get the same fold: the one that has the fewest recordings of
    their classes so far.
    """
    chosen = np.full(len(numbers), ALWAYS_TRAINED, np.int64)
    used = np.zeros((folds, int(classes.max()) + 1), np.int64)
    offered = np.flatnonzero(fits)
    for same in np.split(offered, np.flatnonzero(np.diff(numbers[offered])) + 1):
        of_these = classes[same]
        fold = int(np.argmin(used[:, of_these].sum(axis=1)))
        used[fold, of_these] += 1
        chosen[same] = fold
    return chosen
