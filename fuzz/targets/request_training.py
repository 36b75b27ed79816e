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
"""Goals of the action, with whatever the node's parameters are."""

from __future__ import annotations

from collections.abc import Iterator
import math
from pathlib import Path
from types import SimpleNamespace

from edgetpu_retrain.node.models.training_goal import training_options
from edgetpu_retrain.training_options import MAX_VISITS
from message_fields import Fields, ReadFields, WrittenFields
import messages
from target import MemoryBudget, MIB, Target

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
