# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from collections.abc import Sequence
import math
from types import SimpleNamespace
from typing import Any

from edgetpu_retrain.errors import RequestError
from edgetpu_retrain.extractors import default_extractor_path
from edgetpu_retrain.model_file.description import describe
from edgetpu_retrain.node.samples.sample_requests import (
    add_request,
    AddRequest,
    list_request,
    MAX_IDS,
    MAX_LISTED,
    relabel_request,
)
from edgetpu_retrain_interfaces.srv import AddSample
import pytest

PARAMETERS = SimpleNamespace(sample_timeout_s=10.0, min_novelty=0.1)


DEFAULT_EXTRACTOR = describe(default_extractor_path().read_bytes()).identity


def add(parameters: Any = PARAMETERS, **fields: Any) -> AddRequest:
    request = AddSample.Request(label='mug', **fields)
    return add_request(request, ('left', 'right'), parameters, DEFAULT_EXTRACTOR)


def test_a_count_of_0_means_1() -> None:
    assert [add(count=count).count for count in (0, 1, 20, 1000)] == [1, 1, 20, 1000]
    with pytest.raises(RequestError, match='count is 1001: ask for 1 to 1000'):
        add(count=1001)


@pytest.mark.parametrize('seconds', [1e-9, 86400.0])
def test_time_spans(seconds: float) -> None:
    assert add(timeout_s=seconds).timeout_s == seconds
    assert add(min_interval_s=seconds).min_interval_s == seconds


def test_parameters_replace_zeros() -> None:
    assert (add().timeout_s, add().min_interval_s, add().min_novelty) == (10.0, 0.0, 0.1)
    assert add(min_novelty=2.0).min_novelty == 2.0


@pytest.mark.parametrize('name', ['timeout_s', 'min_interval_s'])
@pytest.mark.parametrize('seconds', [-1e-9, -5.0, math.nan, math.inf, -math.inf, 86401.0])
def test_impossible_time_spans_are_refused(name: str, seconds: float) -> None:
    with pytest.raises(RequestError, match=rf'{name} is .*: use 0 to 86400 seconds'):
        add(**{name: seconds})


@pytest.mark.parametrize('novelty', [2.1, math.nan, math.inf])
def test_impossible_cosine_distances_are_refused(novelty: float) -> None:
    with pytest.raises(RequestError, match='use a cosine distance up to 2'):
        add(min_novelty=novelty)


def test_near_copies_are_skipped_unless_a_negative_number_keeps_them() -> None:
    suits = SimpleNamespace(sample_timeout_s=10.0, min_novelty=0.0)
    keeps = SimpleNamespace(sample_timeout_s=10.0, min_novelty=-1.0)
    assert add(suits).min_novelty == 0.03
    assert add(suits, min_novelty=-0.1).min_novelty == 0.0
    assert add(min_novelty=-math.inf).min_novelty == 0.0
    assert add(keeps).min_novelty == 0.0
    assert add(keeps, min_novelty=0.5).min_novelty == 0.5


def test_cameras() -> None:
    assert (add().camera, add(camera='right').camera) == ('', 'right')
    with pytest.raises(RequestError, match="There is no camera 'top': name one of left, right"):
        add(camera='top')


def test_a_camera_of_an_endless_name_is_quoted_in_part() -> None:
    with pytest.raises(
        RequestError, match=r'\.\.\. \(1000000 characters\): name one of'
    ) as caught:
        add(camera='\x1b' * 1_000_000)
    assert len(str(caught.value)) < 500


def test_only_so_many_samples_are_listed() -> None:
    request = SimpleNamespace(label='cat', limit=MAX_LISTED, before=7)
    assert list_request(request) == ('cat', MAX_LISTED, 7)
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
