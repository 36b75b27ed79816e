# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
"""The node checks its samples after a start, and reports damage."""

from __future__ import annotations

import os
from pathlib import Path
import sys
import threading
from typing import Any

from edgetpu_retrain.node.samples.damage_watch import DamageWatch
from edgetpu_retrain.store.samples.sample_store import SampleStore
from edgetpu_retrain_interfaces.msg import Status
import pytest
from rclpy.qos import DurabilityPolicy, QoSProfile
from support.damaged_database import damage_embeddings
from support.running_node import Person, RunningNode, TAUGHT_IMAGES
from support.waiting import Collected

pytestmark = pytest.mark.usefixtures('measured_processes')

LATCHED = QoSProfile(depth=10, durability=DurabilityPolicy.TRANSIENT_LOCAL)


def test_the_status_says_that_the_check_runs_until_it_has_ended(tmp_path: Path) -> None:
    reports: Collected[tuple[bool, str]] = Collected()
    with SampleStore(tmp_path / 'samples.db') as store:
        watch = DamageWatch(store.damage_check, lambda *report: reports.append(report))
        watch.update()
        reports.wait_for(lambda report: report == (False, ''))
        watch.stop()
        watch.update()
    assert reports[-1] == (False, '')
    assert store.damage_check.is_done


@pytest.mark.skipif(sys.platform != 'linux', reason='threads have no priority of their own')
def test_the_check_is_less_urgent_than_frames(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def niceness() -> int:
        return os.getpriority(os.PRIO_PROCESS, threading.get_native_id())

    of_check: Collected[int] = Collected()
    with SampleStore(tmp_path / 'samples.db') as store:
        check = store.damage_check
        monkeypatch.setattr(check, 'run', lambda _: of_check.append(niceness()))
        watch = DamageWatch(check, lambda *_: None)
        watch.update()
        assert of_check.wait_for(lambda _: True) == min(niceness() + 10, 19)
        watch.stop()


def test_a_check_that_fails_is_reported_and_tried_again(tmp_path: Path) -> None:
    path = tmp_path / 'samples.db'
    reports: Collected[tuple[bool, str]] = Collected()
    with SampleStore(path) as store:
        watch = DamageWatch(store.damage_check, lambda *report: reports.append(report))
        path.rename(tmp_path / 'moved.db')
        watch.update()
        reports.wait_for(lambda report: f'Cannot check {path}: No such file' in report[1])
        watch.stop()
        (tmp_path / 'moved.db').rename(path)
        watch.update()
        reports.wait_for(lambda report: report == (False, ''))
        watch.stop()


def test_damage_is_reported_and_nothing_is_written(
    start_node: Any, person: Person, taught_data: Path
) -> None:
    path = taught_data / 'samples.db'
    damage_embeddings(path)
    before = path.read_bytes()
    person.camera().show(TAUGHT_IMAGES['cat'])
    node: RunningNode = start_node()
    person.wait_until_ready()
    statuses = person.collect(Status, 'status', LATCHED)
    words = f'{path} is damaged'
    statuses.wait_for(lambda each: words in ' '.join(each.problems) and not each.checking_samples)
    assert '[ERROR]' in node.wait_for_log(words)
    refused = person.add('cat', count=2, timeout_s=60.0)
    assert not refused.success
    assert 'nothing is written into it. What to do: ' in refused.message
    assert sum(person.list_samples().counts), 'reading goes on'
    assert node.end() == 0
    assert path.read_bytes() == before
    assert not any('Traceback' in line for line in node.log)


def test_a_manager_sees_that_samples_are_being_checked(start_node: Any, person: Person) -> None:
    start_node({'autostart': False})
    person.wait_until_ready()
    statuses = person.collect(Status, 'status', LATCHED)
    person.change_state('configure')
    person.change_state('activate')
    statuses.wait_for(lambda each: each.checking_samples)
    statuses.wait_for(lambda each: each.state == 'active' and not each.checking_samples)
