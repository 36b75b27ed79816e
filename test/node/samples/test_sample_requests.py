# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from collections.abc import Sequence
import math
from types import SimpleNamespace
from typing import Any

from edgetpu_retrain.errors import RequestError
from edgetpu_retrain.node.samples.sample_requests import (
    check_camera,
    check_count,
    check_seconds,
    list_request,
    MAX_IDS,
    MAX_LISTED,
    relabel_request,
)
import pytest


def test_a_count_of_0_means_1() -> None:
    assert [check_count(count) for count in (0, 1, 20, 1000)] == [1, 1, 20, 1000]
    with pytest.raises(RequestError, match='count is 1001: ask for 1 to 1000'):
        check_count(1001)


@pytest.mark.parametrize('seconds', [0.0, 1e-9, 86400.0])
def test_time_spans(seconds: float) -> None:
    assert check_seconds('timeout_s', seconds) == seconds


@pytest.mark.parametrize('seconds', [-1e-9, -5.0, math.nan, math.inf, -math.inf, 86401.0])
def test_impossible_time_spans_are_refused(seconds: float) -> None:
    with pytest.raises(RequestError, match=r'timeout_s is .*: use 0 to 86400 seconds'):
        check_seconds('timeout_s', seconds)


def test_cameras() -> None:
    assert check_camera('', ('left', 'right')) == ''
    assert check_camera('right', ('left', 'right')) == 'right'
    with pytest.raises(RequestError, match="There is no camera 'top': name one of left, right"):
        check_camera('top', ('left', 'right'))


def test_a_camera_of_an_endless_name_is_quoted_in_part() -> None:
    with pytest.raises(
        RequestError, match=r'\.\.\. \(1000000 characters\): name one of'
    ) as caught:
        check_camera('\x1b' * 1_000_000, ('left', 'right'))
    assert len(str(caught.value)) < 500


def test_only_so_many_samples_are_listed() -> None:
    assert list_request(SimpleNamespace(label='cat', limit=MAX_LISTED)) == ('cat', MAX_LISTED)
    with pytest.raises(RequestError, match='limit is 10001: ask for 0 to 10000'):
        list_request(SimpleNamespace(label='cat', limit=MAX_LISTED + 1))


def relabelling(label: str = '', ids: Sequence[int] = (), new_label: str = 'mug') -> Any:
    return SimpleNamespace(label=label, ids=ids, new_label=new_label)


def test_a_class_or_single_samples_are_relabelled() -> None:
    assert relabel_request(relabelling('cat')) == ('cat', (), 'mug')
    assert relabel_request(relabelling(ids=[3, 4])) == ('', (3, 4), 'mug')
    for both_or_none in (relabelling('cat', [3]), relabelling()):
        with pytest.raises(RequestError, match='and not both'):
            relabel_request(both_or_none)
    with pytest.raises(RequestError, match='10001 ids are more than 10000'):
        relabel_request(relabelling(ids=range(MAX_IDS + 1)))
    with pytest.raises(RequestError, match='contains'):
        relabel_request(relabelling('cat', new_label='../mug'))
