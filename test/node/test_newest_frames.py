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

from edgetpu_retrain.node.image_transport import RAW
from edgetpu_retrain.node.newest_frames import Frame, NewestFrames


def frame(camera: str, number: int) -> Frame:
    return Frame(camera, RAW, number, arrived=float(number))


def test_a_newer_frame_takes_the_place_of_an_older() -> None:
    frames = NewestFrames(['left'])
    assert not frames.put(frame('left', 1))
    assert frames.put(frame('left', 2)), 'number 1 made way'
    assert frames.take() == frame('left', 2)
    assert frames.take() is None
    assert not frames.put(frame('left', 3))
    frames.clear()
    assert frames.take() is None


def test_a_fast_camera_does_not_keep_out_a_slow_one() -> None:
    frames = NewestFrames(['fast', 'slow'])
    served = []
    for number in range(6):
        frames.put(frame('fast', number))
        if number % 2 == 0:
            frames.put(frame('slow', number))
        taken = frames.take()
        assert taken is not None
        served.append(taken.camera)
    assert served == ['fast', 'slow', 'fast', 'slow', 'fast', 'slow']


def test_all_cameras_take_turns() -> None:
    frames = NewestFrames('abc')
    served = ''
    for number in range(9):
        for camera in 'cab':
            frames.put(frame(camera, number))
        taken = frames.take()
        assert taken is not None
        served += taken.camera
    assert served == 'abcabcabc'
