# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
"""Samples while the node follows ``/clock``, which stands still until a test sets it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from support.robot_messages import classified_as
from support.running_node import Camera, Person, TAUGHT, TAUGHT_IMAGES, wait_for_response
from support.simulated_clock import SimulatedClock
from support.waiting import wait_until

# Longer than any test waits, in real time.
LONG_S = 1000.0


@pytest.fixture
def camera(start_node: Any, person: Person, taught_data: Any) -> Camera:
    """Return the camera of a node that waits for a first time."""
    assert taught_data.is_dir()
    start_node({'use_sim_time': True})
    camera = person.wait_until_ready().camera()
    person.show(camera, TAUGHT_IMAGES['cat'])
    return camera


@pytest.fixture
def clock(camera: Camera, person: Person) -> Iterator[SimulatedClock]:
    """Return a clock that stands at a thousand seconds."""
    assert camera.stamps
    clock = SimulatedClock(person)
    clock.set_to(1000)
    yield clock
    clock.close()


def ask(person: Person, **fields: Any) -> Any:
    """Request two samples, and return the future of the response when one is stored."""
    before = person.list_samples().total
    asked = person.add_later('cat', count=2, **fields)
    wait_until(lambda: person.list_samples().total == before + 1)
    return asked


@pytest.mark.usefixtures('camera')
def test_before_the_first_time_requests_are_rejected(person: Person) -> None:
    refused = person.add('cat')
    assert not refused.success
    assert 'no time has arrived on /clock' in refused.message
    person.classifications.wait_for(classified_as('cat'))


def test_intervals_follow_the_clock(clock: SimulatedClock, person: Person) -> None:
    asked = ask(person, min_interval_s=100.0, timeout_s=LONG_S)
    # All these frames have the same time.
    since = len(person.classifications)
    person.classifications.wait_for(lambda _: len(person.classifications) > since + 20)
    assert not asked.done()
    clock.set_to(1100)
    response = wait_for_response(asked)
    assert (response.success, response.label_total) == (True, TAUGHT + 2)


def test_time_limits_follow_the_clock(clock: SimulatedClock, person: Person) -> None:
    asked = ask(person, min_interval_s=LONG_S, timeout_s=60.0)
    clock.set_to(1059)
    assert not asked.done()
    clock.set_to(1061)
    response = wait_for_response(asked)
    assert (response.success, response.added) == (False, 1)
    assert 'Time is up after 60 s: 1 of 2 samples' in response.message


@pytest.mark.parametrize('name', ['camera', ''])
def test_a_camera_that_is_switched_off_meanwhile_is_named(
    clock: SimulatedClock, person: Person, name: str
) -> None:
    asked = ask(person, camera=name, min_interval_s=LONG_S, timeout_s=60.0)
    assert person.set_parameter('camera.active', False).successful
    clock.set_to(1061)
    response = wait_for_response(asked)
    assert (response.success, response.added) == (False, 1)
    assert response.message == (
        "Time is up after 60 s: 1 of 2 samples of 'cat' were added. The node does not listen to "
        'camera camera: set camera.active to true.'
    )


def test_a_jump_back_ends_the_request(clock: SimulatedClock, person: Person) -> None:
    asked = ask(person, min_interval_s=LONG_S, timeout_s=LONG_S)
    clock.set_to(10)
    response = wait_for_response(asked)
    assert (response.success, response.added) == (False, 1)
    assert 'The time on /clock jumped back by 990 s during the request' in response.message
    assert person.add('cat').success, 'at the new time'
    person.classifications.wait_for(classified_as('cat'), since=len(person.classifications))


@pytest.mark.usefixtures('clock')
def test_a_change_to_the_real_time_ends_the_request(person: Person) -> None:
    asked = ask(person, min_interval_s=LONG_S, timeout_s=LONG_S)
    assert person.set_parameter('use_sim_time', False).successful
    assert 'use_sim_time was changed during the request' in wait_for_response(asked).message
    assert person.add('cat').success
