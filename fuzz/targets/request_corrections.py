# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
"""Requests to remove, relabel and undo, up to the store."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from edgetpu_retrain.node.samples.sample_requests import relabel_request, remove_request
from edgetpu_retrain.store.samples.sample import Sample
from edgetpu_retrain.store.samples.sample_store import SampleStore
from fuzz import messages
from fuzz.message_fields import Fields, ReadFields, WrittenFields
from fuzz.target import each_of, MemoryBudget, MIB, Target
import numpy as np

_EXTRACTOR = 'e' * 64
_SAMPLES = 4


def _run(data: bytes, folder: Path) -> None:
    with SampleStore(folder / 'samples.db') as store:
        for number in range(_SAMPLES):
            embeddings = {_EXTRACTOR: np.arange(4, dtype=np.float32)}
            sample = Sample(('mug', 'cup')[number % 2], embeddings)
            store.add([sample], {_EXTRACTOR: None})
        _correct(ReadFields(data), store)
        assert store.counts(extractor=_EXTRACTOR).keys() == {
            each.label for each in store.list_samples(extractor=_EXTRACTOR)
        }


def _correct(fields: Fields, store: SampleStore | None) -> None:
    """Draw the requests, and do them where there is a store."""
    relabel_class = messages.relabel_samples(fields, 'mug', 0)
    relabel_some = messages.relabel_samples(fields, '', 2)
    remove = messages.remove_samples(fields)
    undo = fields.flag(True)
    if store is None:
        return
    each_of(
        lambda: _relabel(relabel_class, store),
        lambda: _relabel(relabel_some, store),
        lambda: _remove(remove, store),
        lambda: undo and (store.undo(), store.undo(), store.redo()),
    )


def _remove(request: Any, store: SampleStore) -> None:
    remove_request(request)
    remove = store.erase if request.forever else store.remove
    remove(request.label, request.n, extractor=_EXTRACTOR)


def _relabel(request: object, store: SampleStore) -> None:
    label, ids, new_label = relabel_request(request)
    if label:
        store.relabel_class(label, new_label, extractor=_EXTRACTOR)
    else:
        store.relabel(ids, new_label)


def _seeds() -> Iterator[bytes]:
    fields = WrittenFields()
    _correct(fields, None)
    yield fields.content


# Each of the texts may be one of 2 MB made of 64 bytes.
TARGET = Target(run=_run, seeds=_seeds, max_bytes=2048, memory=MemoryBudget(24 * MIB, 200_000))
