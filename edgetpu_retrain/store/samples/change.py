# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
"""Change: one change of samples or questions, as the journal lists it."""

from __future__ import annotations

from dataclasses import dataclass
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
