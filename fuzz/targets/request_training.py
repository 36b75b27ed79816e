# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
"""Goals of the action, with whatever the node's parameters are."""

from __future__ import annotations

from collections.abc import Iterator
import math
from pathlib import Path
from types import SimpleNamespace

from edgetpu_retrain.node.models.training_goal import training_options
from edgetpu_retrain.training_options import MAX_VISITS
from fuzz import messages
from fuzz.message_fields import Fields, ReadFields, WrittenFields
from fuzz.target import MemoryBudget, MIB, Target

_PARAMETERS = SimpleNamespace(
    num_iter=0, learning_rate=0.0, batch_size=100, reg=0.0, seed=0, rejection_rate=0.05
)


def _run(data: bytes, _folder: Path) -> None:
    _train(ReadFields(data))


def _train(fields: Fields) -> None:
    options = training_options(messages.goal(fields), _PARAMETERS)
    assert (options.num_iter or 1) * options.batch_size <= MAX_VISITS
    assert options.seed >= 0
    assert all(math.isfinite(value) for value in options.for_fit().values() if value is not None)


def _seeds() -> Iterator[bytes]:
    fields = WrittenFields()
    _train(fields)
    yield fields.content


TARGET = Target(run=_run, seeds=_seeds, max_bytes=128, memory=MemoryBudget(MIB, 64))
