# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
"""Which recordings the samples of a running node belong to."""

from __future__ import annotations

from pathlib import Path
import signal
from typing import Any

import cv2
import pytest
from support.running_node import (
    compressed_message,
    pattern,
    Person,
    RunningNode,
    TAUGHT,
    TAUGHT_IMAGES,
)


def add_picture(person: Person, stamp: int, label: str = 'cat', **fields: Any) -> None:
    """Add a picture with a stamp, seconds, as if the camera had taken it."""
    shown = pattern(ord(label[0])) // 2 + pattern(stamp) // 2
    picture = compressed_message(cv2.imencode('.png', shown)[1].tobytes())
    picture.header.stamp.sec = stamp
    response = person.add(label, camera='camera', image=picture, **fields)
    assert response.success, response.message


def recordings(person: Person) -> list[str]:
    """Return the recording of each sample, oldest first."""
    return [each.recording for each in reversed(person.list_samples(limit=100).samples)]


@pytest.fixture
def node(start_node: Any, taught_data: Path) -> RunningNode:
    """Return a node that was taught by an earlier one."""
    assert taught_data.is_dir()
    node: RunningNode = start_node()
    return node


@pytest.mark.usefixtures('node')
def test_frames_of_a_request_are_one_recording(person: Person) -> None:
    person.show(person.wait_until_ready().camera(), TAUGHT_IMAGES['cat'])
    assert person.add('cat', count=3).success
    *before, first, second, third = recordings(person)
    assert len(before) == 2 * TAUGHT
    assert first == second == third
    assert first.startswith('camera ')


def test_a_pause_of_a_minute_ends_a_recording_and_a_restart_does_not(
    node: RunningNode, person: Person, start_node: Any
) -> None:
    person.wait_until_ready()
    add_picture(person, 1000)
    add_picture(person, 1059)
    node.end(signal.SIGKILL)
    start_node().wait_until_ready()
    person.wait_until_ready()
    add_picture(person, 1118)
    add_picture(person, 1178)
    one, two, three, four = recordings(person)[-4:]
    assert one == two == three != four


@pytest.mark.usefixtures('node')
def test_the_result_of_a_training_says_what_was_held_out(person: Person) -> None:
    person.wait_until_ready()
    for label in TAUGHT_IMAGES:
        assert person.remove(label).success
        for stamp in (1000, 1001, 1002, 2000, 2001, 2002):
            add_picture(person, stamp, label=label)
    _, result = person.train(num_iter=100, learning_rate=0.1)
    assert (result.success, result.held_out_unit) == (True, 'recordings'), result.message
    assert person.remove(label, n=3).success
    _, result = person.train(num_iter=100, learning_rate=0.1)
    assert result.held_out_unit in ('blocks', 'frames'), result.message
    assert 'taught in one go' in result.message


@pytest.mark.usefixtures('node')
def test_a_request_can_name_its_recording(person: Person) -> None:
    person.show(person.wait_until_ready().camera(), TAUGHT_IMAGES['cat'])
    assert person.add('cat', count=2, recording='kitchen').success
    add_picture(person, 5, recording='hall')
    assert recordings(person)[-3:] == ['kitchen', 'kitchen', 'hall']
    refused = person.add('cat', recording='two\nlines')
    assert not refused.success
    assert 'The recording' in refused.message
    assert len(recordings(person)) == 2 * TAUGHT + 3
