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

from edgetpu_retrain.node.requests.refusal_log import MOST_A_SECOND, RefusalLog


def test_a_flood_of_refusals_is_counted() -> None:
    refusals = RefusalLog()
    told = [refusals.line('no', now=each / 1000) for each in range(1000)]
    assert told == ['no'] * MOST_A_SECOND + [None] * (1000 - MOST_A_SECOND)
    assert refusals.line('no', now=1.0) == 'no (990 other requests were refused before)'
    assert refusals.line('no', now=1.0) == 'no'
