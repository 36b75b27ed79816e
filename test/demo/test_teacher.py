# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
import json
from pathlib import Path
import time
from types import SimpleNamespace

from builtin_interfaces.msg import Time
from edgetpu_retrain.demo.camera_node import image_message
from edgetpu_retrain.demo.photographs import SUBJECTS
from edgetpu_retrain.demo.scenes import RESULT_FILE
from edgetpu_retrain.demo.teacher import (
    CONTACT_SHEET_FILE,
    LiveExam,
    MODEL_FILE,
    write_results,
)
from edgetpu_retrain_interfaces.msg import Result
import numpy as np
import pytest
from sensor_msgs.msg import Image
from std_msgs.msg import Header
from vision_msgs.msg import Classification, ObjectHypothesis


def header(nanoseconds: int) -> Header:
    seconds, rest = divmod(nanoseconds, 1_000_000_000)
    return Header(stamp=Time(sec=seconds, nanosec=rest))


def classification(nanoseconds: int, *classes: tuple[str, float]) -> Classification:
    results = [ObjectHypothesis(class_id=label, score=score) for label, score in classes]
    return Classification(header=header(nanoseconds), results=results)


def result(nanoseconds: int, *classes: tuple[str, float]) -> Result:
    return Result(header=header(nanoseconds), classification=classification(nanoseconds, *classes))


def image(nanoseconds: int, red: int) -> Image:
    picture = np.zeros((480, 640, 3), np.uint8)
    picture[:, :, 0] = red
    message = image_message(picture)
    message.header = header(nanoseconds)
    return message


@pytest.fixture
def live() -> LiveExam:
    """Return an exam of which two of three frames were shown, one of them classified correctly."""
    live = LiveExam(planned=3)
    live.started = True
    now = time.time_ns()
    for index, classified in enumerate((True, False)):
        live.on_image(image(now + index, red=200))
        live.on_truth(classification(now + index, ('cat', 1.0)))
        if classified:
            live.on_result(result(now + index, ('cat', 0.75), ('coins', 0.25)))
    return live


def test_messages_become_a_score(live: LiveExam) -> None:
    assert (live.exam.shown, live.exam.classified, live.exam.right) == (2, 1, 1)
    assert live.subject == 'cat'
    first = live.exam.frames[0].result
    assert first is not None
    assert (first.label, first.confidence) == ('cat', 0.75)
    assert first.latency_s >= 0.0


def test_stamps_are_matched_to_the_nanosecond() -> None:
    live = LiveExam(planned=1)
    live.on_truth(classification(5_000_000_001, ('cat', 1.0)))
    live.on_result(result(5_000_000_002, ('cat', 1.0)))
    assert live.exam.classified == 0


def test_pictures_of_the_exam_are_kept_in_rgb_and_those_of_teaching_are_not() -> None:
    live = LiveExam(planned=1)
    live.on_image(image(1, red=10))
    live.started = True
    live.on_image(image(2, red=200))
    assert list(live.pictures) == [2]
    assert (live.pictures[2] == (200, 0, 0)).all()


def test_results_are_written_as_sheet_model_and_figures(live: LiveExam, tmp_path: Path) -> None:
    model = tmp_path / 'version_1.tflite'
    model.write_bytes(b'a model')
    training = SimpleNamespace(
        model_path=str(model),
        train_accuracy=1.0,
        validation_accuracy=float(np.float32(0.97)),
        quantized_validation_accuracy=float(np.float32(0.96)),
        seconds=1.25,
    )
    write_results(tmp_path, live, training, samples=180)
    figures = json.loads((tmp_path / RESULT_FILE).read_text())
    assert figures['live_accuracy'] == 0.3333
    assert (figures['exam_frames'], figures['answered'], figures['right']) == (3, 1, 1)
    assert figures['validation_accuracy'] == 0.97
    assert figures['quantized_validation_accuracy'] == 0.96
    assert figures['samples'] == 180
    assert figures['subjects'] == len(SUBJECTS)
    assert figures['frames_per_second'] == 0.0
    assert (tmp_path / MODEL_FILE).read_bytes() == b'a model'
    assert (tmp_path / CONTACT_SHEET_FILE).read_bytes().startswith(b'\x89PNG')
