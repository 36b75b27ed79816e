# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from types import SimpleNamespace
from typing import Any

from edgetpu_retrain.errors import ImageError
from edgetpu_retrain.node.cameras.message_header import check_header, stamp_ns, stamp_parts
import pytest

LAST_SECOND = 2**31 - 1


def header(sec: int = 0, nanosec: int = 0, frame_id: str = '') -> Any:
    return SimpleNamespace(stamp=SimpleNamespace(sec=sec, nanosec=nanosec), frame_id=frame_id)


@pytest.mark.parametrize(
    ('sec', 'nanosec', 'expected'),
    [
        (0, 0, (0, 0)),
        (5, 7, (5, 7)),
        (5, 10**9, (6, 0)),
        (-1, 0, (-1, 0)),
        (LAST_SECOND, 10**9 - 1, (LAST_SECOND, 10**9 - 1)),
        (LAST_SECOND, 2**32 - 1, (LAST_SECOND, 10**9 - 1)),
        (-(2**31), 0, (-(2**31), 0)),
    ],
)
def test_any_stamp_fits_a_message_again(sec: int, nanosec: int, expected: tuple[int, int]) -> None:
    assert stamp_parts(stamp_ns(header(sec, nanosec))) == expected


@pytest.mark.parametrize('stamp', [-(2**63), 2**63 - 1])
def test_any_stamp_in_a_store_fits_a_message(stamp: int) -> None:
    seconds, nanoseconds = stamp_parts(stamp)
    assert -(2**31) <= seconds < 2**31
    assert 0 <= nanoseconds < 10**9


def test_a_long_frame_id_is_rejected() -> None:
    check_header('the image', header(frame_id='x' * 255))
    with pytest.raises(ImageError, match=r'frame_id of the image is .*\.\.\. \(256 characters\)'):
        check_header('the image', header(frame_id='\x1b' * 256))
