# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
"""Which recording a sample belongs to: by itself, in the store, and whatever changes later."""

from __future__ import annotations

from pathlib import Path
import sqlite3
import time
from typing import Any

from edgetpu_retrain.errors import RequestError
from edgetpu_retrain.model_file.quantization import QuantizationParameters
from edgetpu_retrain.store.samples.recording import (
    continues,
    MAX_RECORDING_LENGTH,
    recording_name,
    Taken,
)
from edgetpu_retrain.store.samples.sample import Sample
from edgetpu_retrain.store.samples.sample_store import SampleStore
import numpy as np
import pytest

EXTRACTOR = 'a' * 64
SECOND = 1_000_000_000
SCALE = QuantizationParameters(0.5, 0)


@pytest.fixture(autouse=True)
def clock(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Return the time of storing, nanoseconds, to be changed by the test."""
    now = [1_700_000_000 * SECOND]
    monkeypatch.setattr(time, 'time_ns', lambda: now[0])
    return now


def add(store: SampleStore, *stamps: float, **fields: Any) -> list[int]:
    """Store samples of a class in one request, given the seconds of their stamps; 0 = none."""
    fields = {'label': 'cup', 'camera': 'front'} | fields
    ids: list[int] = []
    for stamp in stamps:
        embedding = np.arange(8, dtype=np.uint8)
        sample = Sample(
            embeddings={EXTRACTOR: embedding}, stamp_ns=round(stamp * SECOND), **fields
        )
        ids += store.add([sample], {EXTRACTOR: SCALE}, addition=ids[0] if ids else 0)
    return ids


def recordings(store: SampleStore) -> list[int]:
    """Return the number of the recording of each sample, oldest first."""
    names: dict[str, int] = {}
    listed = store.list_samples(extractor=EXTRACTOR)
    assert all(each.recording for each in listed)
    return [names.setdefault(each.recording, len(names)) for each in reversed(listed)]


@pytest.mark.parametrize(
    ('earlier', 'later', 'same'),
    [
        ((100, 0), (159.999, 0), True),
        ((100, 0), (160, 0), False),
        ((100, 0), (100, 9000), True),
        ((100, 0), (99, 1), False),
        ((0, 1000), (5, 1059), True),
        ((5, 1000), (0, 1060), False),
        ((0, 1000), (0, 999), False),
    ],
)
def test_a_pause_of_a_minute_ends_a_recording(
    earlier: tuple[float, float], later: tuple[float, float], same: bool
) -> None:
    first, second = (
        Taken(*(round(seconds * SECOND) for seconds in each)) for each in (earlier, later)
    )
    assert continues(first, second) is same


def test_a_name_says_camera_and_time_and_is_never_too_long() -> None:
    assert recording_name('', 1, 3) == '1970-01-01T00:00:00Z #3'
    for added_ns in (-(2**63), 2**63 - 1):
        name = recording_name('x' * 255, added_ns, 2**63 - 1)
        assert name.endswith(f'Z #{2**63 - 1}')
        assert len(name) <= MAX_RECORDING_LENGTH


def test_requests_less_than_a_minute_apart_are_one_recording(
    samples: SampleStore, clock: list[int]
) -> None:
    add(samples, 0, 0)
    clock[0] += 59 * SECOND
    add(samples, 0, label='plate')
    clock[0] += 59 * SECOND
    add(samples, 0)
    clock[0] += 60 * SECOND
    add(samples, 0, 0)
    assert recordings(samples) == [0, 0, 0, 0, 1, 1]
    newest = samples.list_samples(limit=1, extractor=EXTRACTOR)[0]
    assert newest.recording == 'front 2023-11-14T22:16:18Z #5'


def test_each_camera_has_recordings_of_its_own(samples: SampleStore) -> None:
    add(samples, 0)
    add(samples, 0, camera='arm')
    add(samples, 0)
    add(samples, 0, camera='')
    assert recordings(samples) == [0, 1, 0, 2]


def test_a_request_that_takes_longer_is_one_recording_of_each_camera(
    samples: SampleStore, clock: list[int]
) -> None:
    (first,) = add(samples, 0)
    clock[0] += 100 * SECOND
    add(samples, 0)
    sample = Sample('cup', {EXTRACTOR: np.zeros(8, np.uint8)}, 'front')
    samples.add([sample], {EXTRACTOR: SCALE}, addition=first)
    assert recordings(samples) == [0, 1, 0]


def test_simulated_time_counts_not_that_of_storing(samples: SampleStore, clock: list[int]) -> None:
    add(samples, 10)
    # Ten times as fast as real time.
    clock[0] += 6 * SECOND
    add(samples, 70)
    # A tenth as fast.
    clock[0] += 590 * SECOND
    add(samples, 129)
    # The simulation starts again.
    add(samples, 10)
    assert recordings(samples) == [0, 1, 1, 2]


def test_a_restart_does_not_end_a_recording(path: Path, clock: list[int]) -> None:
    for _ in range(2):
        with SampleStore(path) as store:
            add(store, 0)
            clock[0] += 30 * SECOND
    with SampleStore(path) as store:
        assert recordings(store) == [0, 0]


def test_a_request_can_name_its_recording(samples: SampleStore, clock: list[int]) -> None:
    add(samples, 0)
    add(samples, 0, recording='kitchen')
    add(samples, 0)
    clock[0] += 3600 * SECOND
    add(samples, 0, recording='kitchen')
    add(samples, 0, recording='')
    assert [each.recording for each in samples.list_samples(extractor=EXTRACTOR)] == [
        '', 'kitchen', 'kitchen', 'kitchen', 'front 2023-11-14T22:13:20Z #1',
    ]  # fmt: skip
    # What is not known is not continued.
    add(samples, 0)
    assert samples.list_samples(limit=1, extractor=EXTRACTOR)[0].recording.startswith('front ')


@pytest.mark.parametrize('name', ['two\nlines', '\x1b[31m', 'x' * (MAX_RECORDING_LENGTH + 1)])
def test_a_name_that_cannot_be_printed_is_rejected(name: str, samples: SampleStore) -> None:
    with pytest.raises(RequestError, match=r'The recording .* is no name: use at most 255 print'):
        add(samples, 0, recording=name)
    assert samples.counts(extractor=EXTRACTOR) == {}


def test_a_sample_keeps_its_recording_whatever_changes(samples: SampleStore) -> None:
    add(samples, 0, recording='kitchen')
    add(samples, 0, recording='hall')
    before = samples.list_samples(extractor=EXTRACTOR)
    samples.relabel([1], 'mug')
    samples.undo()
    samples.remove('cup', 0, extractor=EXTRACTOR)
    samples.undo()
    samples.redo()
    with sqlite3.connect(samples.path) as connection:
        removed = connection.execute('SELECT recording FROM removed_samples ORDER BY id')
        assert removed.fetchall() == [('kitchen',), ('hall',)]
    samples.undo()
    assert samples.list_samples(extractor=EXTRACTOR) == before


def test_a_training_set_has_the_recordings_of_its_samples(samples: SampleStore) -> None:
    add(samples, 0, 0, recording='kitchen')
    add(samples, 0, recording='hall', label='plate')
    add(samples, 0, recording='kitchen', label='plate')
    add(samples, 0, recording='')
    found = samples.training_set(extractor=EXTRACTOR)
    assert found.recordings.tolist() == [0, 0, 1, 0, 2]
    assert found.recordings.dtype == np.int64
    assert samples.training_set(extractor='b' * 64).recordings.tolist() == []
