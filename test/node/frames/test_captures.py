# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from edgetpu_retrain.errors import StoreError
from edgetpu_retrain.node.cameras.image_transport import RAW
from edgetpu_retrain.node.frames.captures import Capture, Captures, MAX_UNSETTLED
from edgetpu_retrain.node.frames.newest_frames import Frame
import pytest
from support.captures import capture_request


def frame(arrived: float, camera: str = 'front') -> Frame:
    return Frame(camera, RAW, None, arrived)


@pytest.fixture
def captures() -> Captures:
    return Captures()


def ask(
    captures: Captures,
    count: int = 1,
    camera: str = '',
    min_interval_s: float = 0.0,
    since: float = 0.0,
) -> Capture:
    capture = capture_request(
        camera=camera, count=count, min_interval_s=min_interval_s, since=since
    )
    captures.add(capture)
    return capture


def test_a_request_ends_when_all_its_samples_are_stored(captures: Captures) -> None:
    capture = ask(captures, count=2)
    assert captures.claim(frame(1.0)) == [capture]
    assert captures.claim(frame(2.0)) == [capture]
    assert not captures.wants(frame(3.0))
    captures.settle(capture, 1)
    assert not capture.done.done()
    captures.settle(capture, 1)
    assert capture.done.result(timeout=0) is None
    assert capture.stored == 2


def test_a_frame_from_before_the_request_is_not_wanted(captures: Captures) -> None:
    ask(captures, since=5.0)
    assert not captures.wants(frame(4.9))
    assert captures.claim(frame(4.9)) == []
    assert captures.wants(frame(5.0))


def test_only_frames_of_the_requested_camera_are_claimed(captures: Captures) -> None:
    ask(captures, camera='left')
    assert not captures.wants(frame(1.0, 'right'))
    assert captures.wants(frame(1.0, 'left'))


def test_captured_frames_have_the_minimum_interval(captures: Captures) -> None:
    capture = ask(captures, count=3, min_interval_s=0.5)
    taken = [at for at in (1.0, 1.2, 1.49, 1.5, 1.9, 2.1) if captures.claim(frame(at))]
    assert taken == [1.0, 1.5, 2.1]
    assert capture.claimed == 3


def test_a_frame_is_claimed_by_all_requests_that_want_it(captures: Captures) -> None:
    any_camera, left = ask(captures), ask(captures, camera='left')
    assert captures.claim(frame(1.0, 'left')) == [any_camera, left]


def test_a_stopped_request_waits_for_its_claims(captures: Captures) -> None:
    capture = ask(captures, count=3)
    captures.claim(frame(1.0))
    captures.stop(capture)
    assert not captures.wants(frame(2.0))
    assert not capture.done.done(), 'the claimed frame may yet be stored'
    captures.settle(capture, 1)
    assert capture.done.done()
    assert capture.stored == 1


def test_a_stopped_request_without_claims_ends_immediately(captures: Captures) -> None:
    capture = ask(captures)
    captures.stop(capture)
    assert capture.done.done()
    captures.stop(capture)


def test_a_sample_that_cannot_be_stored_ends_the_request(captures: Captures) -> None:
    capture = ask(captures, count=5)
    captures.claim(frame(1.0))
    captures.claim(frame(2.0))
    captures.settle(capture, 1)
    captures.settle(capture, 0, StoreError('the disk is full'))
    assert not captures.wants(frame(3.0))
    with pytest.raises(StoreError, match='the disk is full'):
        capture.done.result(timeout=0)
    assert capture.stored == 1


def test_another_frame_replaces_a_skipped_one(captures: Captures) -> None:
    capture = ask(captures, count=2)
    captures.claim(frame(1.0))
    captures.claim(frame(2.0))
    assert not captures.wants(frame(3.0)), 'both may yet be stored'
    captures.settle(capture, 7)
    captures.settle(capture, 0)
    assert not capture.done.done()
    assert captures.claim(frame(3.0)) == [capture]
    assert not captures.wants(frame(4.0))
    captures.settle(capture, 8)
    assert capture.done.result(timeout=0) is None
    assert (capture.stored, capture.skipped, capture.first_sample) == (2, 1, 7)
    assert not captures.wants(frame(5.0))


def test_a_request_that_skips_all_frames_ends_when_it_is_stopped(captures: Captures) -> None:
    capture = ask(captures, count=2)
    for number in range(5):
        captures.claim(frame(float(number)))
        captures.settle(capture, 0)
    assert not capture.done.done()
    captures.stop(capture)
    assert capture.done.result(timeout=0) is None
    assert (capture.stored, capture.skipped) == (0, 5)


def test_ended_requests_wait_for_their_claims(captures: Captures) -> None:
    waiting, busy = ask(captures, camera='left'), ask(captures, count=2, camera='right')
    captures.claim(frame(1.0, 'right'))
    captures.end_all(StoreError('it is over'))
    with pytest.raises(StoreError, match='it is over'):
        waiting.done.result(timeout=0)
    assert not busy.done.done()
    captures.settle(busy, 3)
    with pytest.raises(StoreError, match='it is over'):
        busy.done.result(timeout=0)
    assert busy.stored == 1


def test_while_the_disk_is_slow_no_more_frames_are_claimed(captures: Captures) -> None:
    capture = ask(captures, count=100)
    for number in range(MAX_UNSETTLED):
        assert captures.claim(frame(float(number))) == [capture]
    late = frame(1000.0)
    assert not captures.wants(late)
    assert captures.claim(late) == []
    captures.settle(capture, 1)
    assert captures.wants(late)
    assert captures.claim(late) == [capture]
    captures.stop(capture)
    for number in range(MAX_UNSETTLED):
        assert not capture.done.done()
        captures.settle(capture, 2 + number)
    assert capture.done.result(timeout=0) is None
    assert capture.stored == MAX_UNSETTLED + 1
