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
from __future__ import annotations

import math

from edgetpu_retrain.errors import RequestError
from edgetpu_retrain.node.sample_requests import check_camera, check_count, check_seconds
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
