# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
"""Video files that the tests write, and a stand-in for the driver of a webcam."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import cv2
from edgetpu_retrain.webcam import video_source
from edgetpu_retrain.webcam.video_source import CAMERA_RATE, VideoSource, WebcamError
import numpy as np
import pytest
from support.videos import brightness, write_video

# A character device that everybody may open, in place of /dev/video0.
DEVICE = '/dev/null'


class Warnings(list[str]):
    """The warnings of a source."""


def open_source(source: object, size: tuple[int, int] = (640, 480), rate: float = 0.0) -> Any:
    """Return a source and its warnings."""
    warnings = Warnings()
    return VideoSource(str(source), size, rate, warnings.append), warnings


def test_a_video_file_plays_at_its_rate_and_starts_again(tmp_path: Path) -> None:
    source, warnings = open_source(write_video(tmp_path / 'video.avi', (50, 100, 150), rate=12.5))
    assert source.rate == 12.5
    # The constructor has read the first picture.
    shown = [brightness(source.next_picture()) for _ in range(5)]
    assert shown == [100, 150, 50, 100, 150]
    assert warnings == []
    source.close()


def test_a_given_rate_wins_over_that_of_the_file(tmp_path: Path) -> None:
    source, _ = open_source(write_video(tmp_path / 'video.avi', (50,), rate=12.5), rate=3.0)
    assert source.rate == 3.0


def test_a_large_video_is_scaled_down_and_keeps_its_shape(tmp_path: Path) -> None:
    tall = write_video(tmp_path / 'tall.avi', (50,), size=(200, 400))
    assert open_source(tall, (640, 100))[0].next_picture().shape == (100, 50, 3)
    assert open_source(tall, (640, 480))[0].next_picture().shape == (400, 200, 3)


@pytest.mark.parametrize(
    ('source', 'words'),
    [
        ('missing.mp4', r"no video file 'missing\.mp4': give the path of one.*no /dev/video"),
        ('text.mp4', r'text\.mp4 is no video that OpenCV can read.*ffmpeg -i text\.mp4'),
        ('7', r'no camera /dev/video7: plug one in; this machine has no /dev/video'),
        ('/dev/video7', r'no camera /dev/video7: plug one in; this machine has no /dev/video'),
        ('/dev/v4l/by-id/usb-cam', r'no camera /dev/v4l/by-id/usb-cam: plug one in; this machine'),
        ('a' * 300, r"no video file 'a+'"),
        (DEVICE, r'/dev/null cannot be opened as a camera: .*fuser /dev/null'),
    ],
)
def test_what_cannot_be_opened_is_rejected_with_the_remedy(
    source: str, words: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    Path('text.mp4').write_text('no video')
    monkeypatch.setattr(video_source, 'cameras', list)
    with pytest.raises(WebcamError, match=words):
        open_source(source)


def test_the_other_cameras_are_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(video_source, 'cameras', lambda: ['/dev/video2', '/dev/video3'])
    with pytest.raises(WebcamError, match=r'this machine has /dev/video2, /dev/video3$'):
        open_source(7)


def test_a_camera_that_cannot_be_opened_is_not_called_absent(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    by_id = tmp_path / 'by-id'
    by_id.symlink_to(DEVICE)
    for source in (DEVICE, by_id):
        monkeypatch.setattr(video_source, 'cameras', lambda: [DEVICE])
        with pytest.raises(
            WebcamError, match=r'second device.*; this machine has no other camera$'
        ):
            open_source(source)
        monkeypatch.setattr(video_source, 'cameras', lambda: [DEVICE, '/dev/video2'])
        with pytest.raises(WebcamError, match=r'second device.*; this machine has /dev/video2$'):
            open_source(source)


def test_a_device_of_another_group_names_the_group(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr('os.access', lambda _path, _mode: False)
    with pytest.raises(
        WebcamError, match=r'/dev/null may not be opened.*usermod -aG video \$USER'
    ):
        open_source(DEVICE)


def test_a_video_file_that_is_damaged_later_ends_with_an_error(tmp_path: Path) -> None:
    file = write_video(tmp_path / 'video.avi', (50,))
    source, _ = open_source(file)
    file.write_bytes(b'')
    with pytest.raises(WebcamError, match=r'is no video'):
        source.next_picture()


class Driver:
    """Stands in for cv2.VideoCapture with a webcam, which can be unplugged."""

    plugged_in = True
    has_pictures = True
    settings: dict[int, float]
    opened = 0

    def __init__(self, _path: str, _backend: int = 0) -> None:
        type(self).opened += 1
        type(self).settings = {}

    def isOpened(self) -> bool:  # noqa: N802 - OpenCV's name
        return self.plugged_in

    def change(self, name: int, value: float) -> bool:
        self.settings[name] = value
        return True

    def read(self) -> tuple[bool, Any]:
        is_read = self.plugged_in and self.has_pictures
        return is_read, np.zeros((480, 640, 3), np.uint8) if is_read else None

    def release(self) -> None:
        pass


@pytest.fixture
def driver(monkeypatch: pytest.MonkeyPatch) -> type[Driver]:
    """Use a new class of drivers instead of OpenCV's."""
    fresh = type('FreshDriver', (Driver,), {'set': Driver.change})
    monkeypatch.setattr(cv2, 'VideoCapture', fresh)
    monkeypatch.setattr(video_source, 'RETRY_S', 0.0)
    return fresh


def test_a_webcam_is_asked_for_size_and_rate(driver: type[Driver]) -> None:
    source, _ = open_source(DEVICE, (320, 240))
    assert source.is_camera
    assert source.rate == CAMERA_RATE
    assert driver.settings[cv2.CAP_PROP_FRAME_WIDTH] == 320
    assert driver.settings[cv2.CAP_PROP_FRAME_HEIGHT] == 240
    assert driver.settings[cv2.CAP_PROP_FPS] == CAMERA_RATE
    # As the camera sends them.
    assert source.next_picture().shape == (480, 640, 3)


def test_a_webcam_that_is_unplugged_comes_back(driver: type[Driver]) -> None:
    source, warnings = open_source(DEVICE)
    driver.plugged_in = False
    assert [source.next_picture() for _ in range(3)] == [None, None, None]
    assert warnings == ['/dev/null has stopped: is it unplugged? It is tried again every 0 s.']
    driver.plugged_in = True
    assert source.next_picture() is not None
    assert warnings[1:] == ['/dev/null is back.']
    assert source.next_picture() is not None


def test_a_webcam_that_is_gone_is_not_tried_all_the_time(
    driver: type[Driver], monkeypatch: pytest.MonkeyPatch
) -> None:
    source, _ = open_source(DEVICE)
    driver.plugged_in = False
    monkeypatch.setattr(video_source, 'RETRY_S', 1e6)
    for _ in range(5):
        source.next_picture()
    assert driver.opened == 2


def test_what_opens_but_has_no_pictures_ends_with_an_error(
    driver: type[Driver], tmp_path: Path
) -> None:
    file = tmp_path / 'video.avi'
    file.touch()
    source, _ = open_source(file, rate=5.0)
    driver.has_pictures = False
    with pytest.raises(WebcamError, match=r'video\.avi is no video'):
        source.next_picture()
    for path in (DEVICE, file):
        with pytest.raises(WebcamError, match=r'sends no pictures|is no video'):
            open_source(path, rate=5.0)
