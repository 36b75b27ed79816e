# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
"""Rejected requests keep neither models nor samples in memory."""

from __future__ import annotations

from pathlib import Path
from typing import Any
import weakref

from action_msgs.msg import GoalStatus
from edgetpu_retrain.node.process.error_frames import clear_frames
import pytest
from support.running_node import Person, RunningNode

COUNTING = (str(Path(__file__).with_name('node_that_counts.py')),)
NOTHING_LEFT = 'alive: 1 models, 0 sets of samples'


class Picture:
    """Something large."""


def test_the_frames_of_an_error_and_its_causes_are_cleared(
    kept: list[weakref.ref[Picture]],
) -> None:
    def fail() -> None:
        picture = Picture()
        kept.append(weakref.ref(picture))
        raise KeyError('not there')

    def call() -> None:
        picture = Picture()
        kept.append(weakref.ref(picture))
        try:
            fail()
        except KeyError as error:
            raise ValueError('cannot be') from error

    with pytest.raises(ValueError, match='cannot be') as raised:
        call()
    assert all(each() is not None for each in kept)
    clear_frames(raised.value)
    assert [each() for each in kept] == [None, None]
    assert str(raised.value) == 'cannot be'
    clear_frames(None)


def test_a_cycle_of_causes_ends() -> None:
    error = KeyError('not there')
    error.__cause__ = error
    clear_frames(error)


@pytest.fixture
def kept() -> list[weakref.ref[Picture]]:
    """Return a list for what may be alive."""
    return []


@pytest.mark.usefixtures('taught_data')
def test_a_rejected_swap_keeps_no_model(start_node: Any, person: Person) -> None:
    node: RunningNode = start_node(program=COUNTING)
    person.wait_until_ready()
    for version in (1, 2, 1):
        assert person.load_model(version).success
        refused = person.load_model(99)
        assert not refused.success
        assert refused.model_version == version
    node.wait_for_log(NOTHING_LEFT, since=len(node.log))


@pytest.mark.usefixtures('taught_data')
def test_a_rejected_training_keeps_no_samples(start_node: Any, person: Person) -> None:
    node: RunningNode = start_node(program=COUNTING)
    person.wait_until_ready()
    listing = person.list_samples()
    assert listing.success, listing.message
    assert person.remove(listing.labels[0]).success
    status, result = person.train()
    assert status == GoalStatus.STATUS_ABORTED
    assert 'nothing to tell apart' in result.message
    node.wait_for_log(NOTHING_LEFT, since=len(node.log))
