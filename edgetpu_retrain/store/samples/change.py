# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
"""Change: one change of samples or questions, in the journal; ChangeAges: how old changes are."""

from __future__ import annotations

from dataclasses import dataclass
import time
from typing import Literal, NamedTuple

from edgetpu_retrain.wording import counted, named

Kind = Literal['add', 'import', 'relabel', 'remove', 'answer', 'dismiss']

NOTHING_TO_UNDO = 'There is nothing to undo: no change of samples is left in the journal'
NOTHING_TO_REDO = (
    'There is nothing to redo: no change was undone, or the samples were changed again since'
)

_NOUNS: dict[str, str] = {
    'add': 'addition',
    'import': 'import',
    'relabel': 'relabelling',
    'remove': 'removal',
    'answer': 'labelling',
    'dismiss': 'dismissal',
}

_MAX_LOOKS = 100
# Smaller jumps, in nanoseconds, make no difference to an age of days.
_JUMP_NS = 1_000_000_000


class LabelChange(NamedTuple):
    """The samples of a change that have the same old and the same new label."""

    old_label: str
    """'' if the change added them."""
    new_label: str
    """'' if the change removed them."""
    samples: int
    """Number of samples."""


@dataclass(frozen=True)
class Change:
    """
    A change of samples or questions, which is undone and redone as one.

    Args:
        change_id: id of the change; a later change has a larger one.
        kind: one of :data:`Kind`; ``'answer'`` and ``'dismiss'`` change questions.
        made_ns: time of the change, nanoseconds since 1970.
        undone: whether it was undone and not yet redone.
        labels: the changed samples, grouped by old and new label.
        questions: number of questions that the change closed.
    """

    change_id: int
    kind: str
    made_ns: int
    undone: bool
    labels: tuple[LabelChange, ...]
    questions: int = 0

    @property
    def samples(self) -> int:
        """The number of changed samples, without those that were erased since."""
        return sum(each.samples for each in self.labels)

    def __str__(self) -> str:
        old = dict.fromkeys(each.old_label for each in self.labels if each.old_label)
        new = dict.fromkeys(each.new_label for each in self.labels if each.new_label)
        names = ' to '.join(named([repr(name) for name in each]) for each in (old, new) if each)
        what = counted(self.samples, 'sample', 'samples')
        if self.kind in ('answer', 'dismiss'):
            what = counted(self.questions, 'question', 'questions')
        as_label = f' {"as" if self.kind == "answer" else "of"} {names}' if names else ''
        return f'the {_NOUNS.get(self.kind, "change")} of {what}{as_label}'


class ChangeAges:
    """
    Upper limits of the ages of the changes that were made since this process first looked.

    The system's clock can jump forward: a robot without a battery-backed clock starts with an old
    time, and gets the present one from the network.  By that clock, a sample that was removed a
    minute ago may have been removed a week ago.  But a change whose id is larger than the last id
    at a look was made after this look.  The time since the look is measured by a clock that never
    jumps, and goes on while the system sleeps.
    """

    def __init__(self) -> None:
        # The id of the last change at each look, and the time of the look; the oldest look first.
        self._looks: dict[int, int] = {}
        self._ahead_ns = _ahead_ns()

    def look(self, last_change: int) -> None:
        """
        Note that there is no later change yet.

        Args:
            last_change: id of the last change; 0 if there is none.
        """
        # Keep the order of the looks.
        self._looks.pop(last_change, None)
        self._looks[last_change] = _now_ns()
        if len(self._looks) > _MAX_LOOKS:
            del self._looks[next(iter(self._looks))]

    def largest_ns(self, change_id: int) -> int | None:
        """Return an upper limit of a change's age, nanoseconds; None = it is not known."""
        looks = [looked_ns for last, looked_ns in self._looks.items() if last < change_id]
        return _now_ns() - looks[-1] if looks else None

    def clock_has_jumped(self) -> bool:
        """Return whether the system's clock has jumped since the last :meth:`times_are_right`."""
        return abs(_ahead_ns() - self._ahead_ns) > _JUMP_NS

    def times_are_right(self) -> None:
        """Note that the recorded times of the changes are right by the present clock."""
        self._ahead_ns = _ahead_ns()


def _now_ns() -> int:
    return time.clock_gettime_ns(time.CLOCK_BOOTTIME)


def _ahead_ns() -> int:
    """Return by how much the system's clock is ahead of the one that never jumps."""
    return time.time_ns() - _now_ns()
