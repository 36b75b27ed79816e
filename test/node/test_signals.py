# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
"""SIGINT and SIGTERM in each state without threads yet, or in which something is waited for."""

from __future__ import annotations

from collections.abc import Iterator
import contextlib
import fcntl
from pathlib import Path
import signal
import sqlite3
import time
from typing import Any

import cv2
from edgetpu_retrain.store.files.ownership import Ownership
from edgetpu_retrain.store.samples.sample import Sample
from edgetpu_retrain.store.samples.sample_store import SampleStore
from edgetpu_retrain_interfaces.srv import LoadModel, RelabelSamples
import numpy as np
import pytest
from std_srvs.srv import Trigger
from support.running_node import pattern, Person, RunningNode, TAUGHT_IMAGES
from support.waiting import wait_until

TROUBLED = (str(Path(__file__).with_name('node_in_trouble.py')),)
# Longer than the tests wait for the end of a node.
FOR_EVER = {'PATIENCE_S': '3600'}


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


@contextlib.contextmanager
def held(file: Path) -> Iterator[None]:
    """Let another program hold a database."""
    with contextlib.closing(sqlite3.connect(file, isolation_level=None)) as other:
        other.execute('BEGIN IMMEDIATE')
        yield


@pytest.mark.parametrize('number', [signal.SIGINT, signal.SIGTERM])
def test_it_waits_for_no_database_that_another_program_holds(
    start_node: Any, person: Person, taught_data: Path, number: signal.Signals
) -> None:
    node: RunningNode = start_node(program=TROUBLED, environment=FOR_EVER)
    camera = person.wait_until_ready().camera()
    camera.show(TAUGHT_IMAGES['cat'])
    assert person.add('cat', timeout_s=60.0).success
    with held(taught_data / 'samples.db'):
        person.add_later('cat', count=5, timeout_s=60.0)
        for _ in range(3):
            relabelling = {'new_label': 'cow', 'label': 'cat'}
            person.robot.call_async(RelabelSamples, 'relabel_samples', **relabelling)
        assert person.state == 'active', 'so the requests before it have arrived'
        assert node.end(number) == 0
    assert not any('Traceback' in line for line in node.log), '\n'.join(node.log)


@pytest.mark.parametrize('number', [signal.SIGINT, signal.SIGTERM])
def test_it_waits_for_no_held_database_while_it_starts(
    start_node: Any, taught_data: Path, number: signal.Signals
) -> None:
    owner = taught_data / 'owner'
    owner.unlink()
    with held(taught_data / 'samples.db'):
        node: RunningNode = start_node(program=TROUBLED, environment=FOR_EVER)
        # It owns the folder just before it opens the database.
        wait_until(lambda: owner.exists() and bool(owner.read_bytes()))
        assert node.end(number) == 0
    assert not any('Traceback' in line for line in node.log), '\n'.join(node.log)


@pytest.mark.parametrize('number', [signal.SIGINT, signal.SIGTERM])
def test_it_waits_for_no_other_writer_of_models(
    start_node: Any, person: Person, taught_data: Path, number: signal.Signals
) -> None:
    node: RunningNode = start_node(program=TROUBLED, environment=FOR_EVER)
    person.wait_until_ready()
    with (taught_data / 'models' / '.lock').open('ab') as other:
        fcntl.flock(other, fcntl.LOCK_EX)
        person.robot.call_async(LoadModel, 'load_model', version=1)
        feedback = person.start_training(num_iter=100, print_every=1).feedback
        feedback.wait_for(lambda each: each.iteration == each.num_iter)
        assert node.end(number) == 0
    assert not any('Traceback' in line for line in node.log), '\n'.join(node.log)


@pytest.mark.parametrize('number', [signal.SIGINT, signal.SIGTERM])
def test_it_ends_in_order_while_samples_are_embedded_again(
    start_node: Any, person: Person, tmp_path: Path, number: signal.Signals
) -> None:
    jpeg = cv2.imencode('.jpg', pattern(1))[1].tobytes()
    sample = Sample('cat', {'a' * 64: np.zeros(8, np.float32)}, image=jpeg)
    (tmp_path / 'data').mkdir()
    with SampleStore(tmp_path / 'data' / 'samples.db') as store:
        store.add([sample] * 1000, {'a' * 64: None})
    node: RunningNode = start_node()
    person.wait_until_ready().robot.call_async(Trigger, 'reembed_samples')
    assert person.list_samples().success, 'so the request before it has arrived'
    assert node.end(number) == 0
    assert not any('Traceback' in line for line in node.log), '\n'.join(node.log)
