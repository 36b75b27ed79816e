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
"""SIGINT and SIGTERM in each state that has no threads yet, or in which somebody waits."""

from __future__ import annotations

from pathlib import Path
import signal
import time
from typing import Any

from edgetpu_retrain.store.ownership import Ownership
import pytest
from running_node import Person, RunningNode


def _unconfigured(_node: RunningNode, person: Person) -> None:
    assert person.state == 'unconfigured'


def _inactive(_node: RunningNode, person: Person) -> None:
    assert person.change_state('configure')


def _finalized(_node: RunningNode, person: Person) -> None:
    assert person.change_state('configure')
    assert person.change_state('activate')
    assert person.change_state('shutdown')


def _waiting(_node: RunningNode, person: Person) -> None:
    assert person.change_state('configure')
    assert person.change_state('activate')
    person.add_later('cat', count=10, timeout_s=600.0)
    assert person.list_samples().success, 'so the request before it has arrived'


@pytest.mark.parametrize('number', [signal.SIGINT, signal.SIGTERM])
@pytest.mark.parametrize('bring', [_unconfigured, _inactive, _finalized, _waiting])
def test_it_ends_in_order_in_every_state(
    start_node: Any, person: Person, tmp_path: Path, bring: Any, number: signal.Signals
) -> None:
    node: RunningNode = start_node({'autostart': False})
    bring(node, person.wait_until_ready())
    began = time.monotonic()
    assert node.end(number) == 0
    print(f'{number.name} while{bring.__name__}: {time.monotonic() - began:.2f} s')
    assert not any('Traceback' in line for line in node.log), '\n'.join(node.log)
    data = tmp_path / 'data'
    if data.exists():
        Ownership(data).release()
        # SQLite takes its log away when the last connection is closed.
        assert not list(data.glob('samples.db-*'))
