# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
"""Any sequence of changes, undos, redos and restarts, compared with a model of a few lines."""

from __future__ import annotations

from contextlib import closing
from itertools import groupby
from pathlib import Path
import shutil
import sqlite3
import tempfile
from typing import Any

from edgetpu_retrain.sample_archive.archive_reading import open_archive
from edgetpu_retrain.sample_archive.archive_writing import write_archive
from edgetpu_retrain.sample_archive.importing import import_archive
from edgetpu_retrain.store.samples import journal
from edgetpu_retrain.store.samples.sample import Sample
from edgetpu_retrain.store.samples.sample_store import SampleStore
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    invariant,
    precondition,
    rule,
    RuleBasedStateMachine,
    run_state_machine_as_test,
)
import numpy as np
import pytest

EXTRACTOR = 'a' * 64
MAX_CHANGES = 6
LABELS = st.sampled_from(('cup', 'hat', 'key'))
ARCHIVED = {250: 'cup', 252: 'saw', 254: 'saw'}
HELD = 1001
"""The value of the samples that are taken while a button is held: all are of one recording."""


def sample_of(value: int, label: str) -> Sample:
    image = b'\xff\xd8\xff\xe0' + bytes([value % 256]) * 9 if value % 2 else None
    embeddings = {EXTRACTOR: np.full(4, value, np.float32)}
    return Sample(label, embeddings, image=image, recording=f'visit {value}')


class ModelChange(dict[int, tuple[str, str]]):
    """The old and new labels of the samples of a change."""

    def __init__(self, addition: int, kind: str) -> None:
        super().__init__()
        self.addition = addition
        self.kind = kind


class Journalled(RuleBasedStateMachine):
    """A store, and what it must contain."""

    archive: Path

    def __init__(self) -> None:
        super().__init__()
        self.folder = Path(tempfile.mkdtemp())
        self.store = SampleStore(self.folder / 'samples.db')
        # The model: label and value of each sample, and old and new label of those of each change.
        self.labels: dict[int, str] = {}
        self.values: dict[int, int] = {}
        self.changes: list[ModelChange] = []
        self.undone = 0
        self.requests: dict[int, ModelChange] = {}
        self.last_id = 0

    def teardown(self) -> None:
        self.store.close()
        shutil.rmtree(self.folder)

    def change(
        self, samples: dict[int, tuple[str, str]], request: int = 0, kind: str = ''
    ) -> None:
        """Make a change of the model."""
        done = self.changes[: len(self.changes) - self.undone]
        if samples and not (request and any(self.requests.get(request) is each for each in done)):
            self.requests[request] = ModelChange(request, kind)
            self.changes = [*done, self.requests[request]][-MAX_CHANGES:]
            self.undone = 0
        for sample_id, (_, label) in samples.items():
            self.requests[request][sample_id] = samples[sample_id]
            self.set_label(sample_id, label)

    def set_label(self, sample_id: int, label: str) -> None:
        self.labels.pop(sample_id, None)
        if label:
            self.labels[sample_id] = label

    def newest(self, label: str, count: int) -> list[int]:
        matching = [each for each in self.labels if label in ('', self.labels[each])]
        return sorted(matching, reverse=True)[: count or None]

    def added(self, samples: dict[int, str], request: int = 0, kind: str = 'add') -> None:
        """Add samples, by their values, to the model."""
        ids = range(self.last_id + 1, self.last_id + 1 + len(samples))
        self.last_id += len(samples)
        self.values.update(zip(ids, samples, strict=True))
        added = {each: ('', label) for each, label in zip(ids, samples.values(), strict=True)}
        self.change(added, request or next(iter(ids), 0), kind)

    @rule(label=LABELS, count=st.integers(1, 3))
    def add(self, label: str, count: int) -> None:
        values = range(HELD + 1 + self.last_id, HELD + 1 + self.last_id + count)
        self.store.add([sample_of(each, label) for each in values], {EXTRACTOR: None})
        self.added(dict.fromkeys(values, label))

    @rule(label=LABELS)
    def hold(self, label: str) -> None:
        self.store.add([sample_of(HELD, label)], {EXTRACTOR: None})
        self.added({HELD: label}, 0 if self.undone else self.addition_of_hold(label))

    def addition_of_hold(self, label: str) -> int:
        """Return the addition that a further sample of a hold belongs to; 0 = a new one."""
        for change in reversed(self.changes):
            if change.kind != 'add':
                break
            held = all((self.values[each], self.labels[each]) == (HELD, label) for each in change)
            if held:
                return change.addition
        return 0

    @precondition(lambda self: any(self.requests))
    @rule(label=LABELS, data=st.data())
    def continue_a_request(self, label: str, data: Any) -> None:
        request = data.draw(st.sampled_from([each for each in self.requests if each]))
        self.store.add([sample_of(77, label)], {EXTRACTOR: None}, addition=request)
        self.added({77: label}, request)

    @rule()
    def bring_an_archive(self) -> None:
        with open_archive(self.archive) as archive:
            import_archive(self.store, archive, {})
        present = {self.values[each] for each in self.labels}
        new = {value: label for value, label in ARCHIVED.items() if value not in present}
        if new:
            self.added(new, kind='import')

    @rule(label=st.one_of(LABELS, st.just('')), newest=st.integers(0, 3))
    def remove(self, label: str, newest: int) -> None:
        if label or newest:
            ids = self.newest(label, newest)
            assert self.store.remove(label, newest, extractor=EXTRACTOR) == len(ids)
            self.change({each: (self.labels[each], '') for each in ids})

    @rule(label=LABELS, new_label=LABELS)
    def relabel_a_class(self, label: str, new_label: str) -> None:
        if label != new_label:
            ids = self.newest(label, 0)
            self.store.relabel_class(label, new_label, extractor=EXTRACTOR)
            self.change(dict.fromkeys(ids, (label, new_label)))

    @rule(label=LABELS, data=st.data())
    def relabel_some(self, label: str, data: Any) -> None:
        if self.labels:
            ids = data.draw(st.lists(st.sampled_from(sorted(self.labels)), unique=True))
            self.store.relabel(ids, label)
            old = {each: self.labels[each] for each in ids}
            self.change({each: (old[each], label) for each in ids if old[each] != label})

    @rule()
    def undo(self) -> None:
        done = self.changes[: len(self.changes) - self.undone]
        change = self.store.undo()
        assert (change.samples if change else 0) == (len(done[-1]) if done else 0)
        if done:
            self.undone += 1
            for sample_id, (label, _) in done[-1].items():
                self.set_label(sample_id, label)

    @rule()
    def redo(self) -> None:
        change = self.store.redo()
        assert bool(change) == bool(self.undone)
        if self.undone:
            redone = self.changes[len(self.changes) - self.undone]
            self.undone -= 1
            for sample_id, (_, label) in redone.items():
                self.set_label(sample_id, label)

    @rule()
    def start_again(self) -> None:
        self.store.close()
        self.store = SampleStore(self.folder / 'samples.db')

    @rule(label=st.one_of(LABELS, st.just('')), newest=st.integers(0, 2))
    def erase(self, label: str, newest: int) -> None:
        ids = set(self.newest(label, newest)) if label or newest else set()
        if not newest:
            ids |= {each for each in self.removed() if label in ('', self.last_label(each))}
        assert self.store.erase(label, newest, extractor=EXTRACTOR).samples == len(ids)
        for sample_id in ids:
            self.labels.pop(sample_id, None)
            for change in self.changes:
                change.pop(sample_id, None)
        first = len(self.changes) - self.undone
        undone = self.changes[first:]
        self.undone = sum(map(bool, undone))
        self.changes = [each for each in self.changes if each]

    def removed(self) -> set[int]:
        return {each for change in self.changes for each in change} - self.labels.keys()

    def last_label(self, sample_id: int) -> str:
        """Return the label of a removed sample when it was removed."""
        done = self.changes[: len(self.changes) - self.undone]
        steps = [each[sample_id] for each in done if sample_id in each]
        if steps:
            return steps[-1][0]
        first = len(self.changes) - self.undone
        undone = self.changes[first:]
        return next(each[sample_id][1] for each in undone if sample_id in each)

    @invariant()
    def the_store_is_as_the_model(self) -> None:
        listed = self.store.list_samples(extractor=EXTRACTOR)
        assert {each.sample_id: each.label for each in listed} == self.labels
        samples = self.store.training_set(extractor=EXTRACTOR)
        assert samples.ids.tolist() == sorted(self.labels)
        values = [self.values[each] for each in sorted(self.labels)]
        assert samples.embeddings[:, :1].ravel().tolist() == values
        assert [each.has_image for each in reversed(listed)] == [bool(each % 2) for each in values]
        assert [each.recording for each in reversed(listed)] == [
            f'visit {each}' for each in values
        ]
        ordered = sorted(self.labels.values())
        counts = {label: len(list(group)) for label, group in groupby(ordered)}
        assert self.store.counts(extractor=EXTRACTOR) == counts
        history = self.store.history()
        assert [each.samples for each in history] == [len(each) for each in self.changes]
        assert sum(each.undone for each in history) == self.undone
        with closing(sqlite3.connect(self.folder / 'samples.db')) as connection:
            removed = {each for (each,) in connection.execute('SELECT id FROM removed_samples')}
            assert connection.execute('PRAGMA foreign_key_check').fetchall() == []
        assert removed == self.removed()


def test_the_store_is_as_the_model_after_any_changes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(journal, 'MAX_CHANGES', MAX_CHANGES)
    with SampleStore(tmp_path / 'other.db') as other:
        other.add([sample_of(*each) for each in ARCHIVED.items()], {EXTRACTOR: None})
        write_archive(other, tmp_path / 'samples.zip')
    monkeypatch.setattr(Journalled, 'archive', tmp_path / 'samples.zip', raising=False)
    steps = settings(max_examples=60, stateful_step_count=25, deadline=None, derandomize=True)
    run_state_machine_as_test(Journalled, settings=steps)
