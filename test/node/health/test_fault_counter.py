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

from edgetpu_retrain.node.health.fault_counter import FaultCounter


def test_every_fault_is_counted_and_one_a_second_is_told() -> None:
    faults = FaultCounter('unusable image')
    reports = [faults.add('front', f'reason {at}', now=at / 10) for at in range(25)]
    assert faults.total('front') == 25
    assert {at: report for at, report in enumerate(reports) if report} == {
        0: "camera 'front': unusable image (1 so far): reason 0",
        10: "camera 'front': unusable image (11 so far): reason 10",
        20: "camera 'front': unusable image (21 so far): reason 20",
    }


def test_one_camera_does_not_silence_another() -> None:
    faults = FaultCounter('frame lost')
    assert faults.add('left', 'x', now=0.0)
    assert faults.add('right', 'x', now=0.0)
    assert faults.total('left') == faults.total('right') == 1


def test_the_latest_fault_is_told_once() -> None:
    faults = FaultCounter('unusable image')
    assert faults.latest('front') == ''
    faults.add('front', 'first', now=0.0)
    faults.add('front', 'second', now=0.1)
    faults.add('rear', 'other', now=0.1)
    assert faults.latest('front') == 'unusable image: second'
    assert faults.latest('front') == ''
