# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
"""
The demo's teacher: adds samples of all subjects, starts a training, and runs a live exam.

The teacher uses :mod:`edgetpu_retrain.client` as a user's program would.  It prints the progress,
and writes a contact sheet, the retrained model and the figures.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from functools import partial
import json
from pathlib import Path
import shutil
import time
from typing import Any

import cv2
from edgetpu_retrain.client import RetrainClient
from edgetpu_retrain.demo.camera_motion import RgbArray
from edgetpu_retrain.demo.contact_sheet import (
    choose_frames,
    draw_contact_sheet,
    save_contact_sheet,
)
from edgetpu_retrain.demo.display import exam_bar, print_score, sample_bars, training_bar
from edgetpu_retrain.demo.exam import Exam, FrameResult
from edgetpu_retrain.demo.photographs import SUBJECTS
from edgetpu_retrain.demo.scenes import (
    BACKGROUND,
    EXAM_FRAMES,
    RESULT_FILE,
    SCENE_EXAM,
    SCENE_IDLE,
    TAUGHT,
)
from edgetpu_retrain.demo.stage import Stage, stamp_ns
from edgetpu_retrain.demo.teaching_program import run_with_ros
import numpy as np
from rich.console import Console

SAMPLES_PER_SUBJECT = 15
SAMPLES_PER_CALL = 5

CONTACT_SHEET_FILE = 'contact_sheet.png'
MODEL_FILE = 'retrained.tflite'

_SECONDS_TO_START = 60.0
_SECONDS_FOR_LAST_FRAMES = 2.0
# Width and height of a stored picture, pixels: its size on the contact sheet before the sheet is
# scaled down.
_KEPT_PICTURE = (320, 240)


class LiveExam:
    """
    A running exam: receives the messages, and stores the pictures for the contact sheet.

    Args:
        planned: number of frames in the exam.
    """

    def __init__(self, planned: int) -> None:
        self.exam = Exam(planned)
        self.pictures: dict[int, RgbArray] = {}
        self.subject = ''
        self.started = False

    def on_truth(self, truth: Any) -> None:
        """Record the true class of a frame, from a vision_msgs/Classification."""
        self.subject = truth.results[0].class_id
        self.exam.add_truth(stamp_ns(truth.header), self.subject)

    def on_result(self, result: Any) -> None:
        """Record the most likely class of a frame, from an edgetpu_retrain_interfaces/Result."""
        stamp = stamp_ns(result.header)
        best = result.classification.results[0]
        latency_s = (time.time_ns() - stamp) / 1e9
        classified = FrameResult(best.class_id, best.score, time.monotonic(), latency_s)
        self.exam.add_result(stamp, classified)

    def on_image(self, image: Any) -> None:
        """Store a sensor_msgs/Image, scaled down, for the contact sheet, once the exam runs."""
        if self.started:
            pixels = np.frombuffer(image.data, np.uint8).reshape(image.height, image.width, 3)
            small = cv2.resize(pixels, _KEPT_PICTURE, interpolation=cv2.INTER_AREA)
            self.pictures[stamp_ns(image.header)] = np.asarray(small, np.uint8)


def teach(robot: RetrainClient, stage: Stage, console: Console, frames_per_second: float) -> int:
    """
    Show the empty table, then every subject, and add samples of each.

    The node does not store near copies, so a subject may have fewer samples than planned.

    Args:
        robot: client of the retrain node.
        stage: shows the subjects.
        console: prints the progress.
        frames_per_second: frame rate of the camera, Hz.

    Returns:
        The total number of stored samples.
    """
    what = f'the {BACKGROUND} and {len(SUBJECTS)} subjects'
    _print_heading(console, f'Teaching {what} through ~/add_samples')
    timeout_s = 5.0 + 3.0 * SAMPLES_PER_CALL / frames_per_second
    samples = copies = 0
    with sample_bars(console) as bars:
        for subject in TAUGHT:
            bar = bars.add_task(subject, total=SAMPLES_PER_SUBJECT)
            stage.show_subject(subject)
            for _ in range(SAMPLES_PER_SUBJECT // SAMPLES_PER_CALL):
                response = robot.add_samples(subject, SAMPLES_PER_CALL, timeout_s=timeout_s)
                bars.update(bar, completed=response.label_total)
                copies += response.skipped
            samples += response.label_total
    stage.show(SCENE_IDLE)
    console.print(
        f'  The node now has {samples} samples of {len(TAUGHT)} classes; {copies} other frames '
        'were\n  near copies of them and not stored.'
    )
    return samples


def train(robot: RetrainClient, console: Console) -> Any:
    """Train on all samples, show the progress, and return the ``Train.Result``."""
    _print_heading(console, 'Training the last layer through ~/train')
    with training_bar(console) as show:
        training = robot.train()
        for feedback in training:
            show(feedback)
        result = training.result()
    note = ''
    if result.held_out_unit != 'recordings':
        note = '  They were taught in one go: these figures say nothing about another day.\n'
    console.print(
        f'  Held-out samples right: {result.validation_accuracy:.1%}, '
        f'and {result.quantized_validation_accuracy:.1%} as quantized in the .tflite.\n'
        f'{note}  Model version {result.model_version} serves after {result.seconds:.1f} s.'
    )
    return result


def examine(stage: Stage, live: LiveExam, console: Console, frames_per_second: float) -> None:
    """
    Show views that were not taught, and score the node's classifications.

    Args:
        stage: shows the views; its callbacks must be those of ``live``.
        live: the exam.
        console: prints the progress and the score.
        frames_per_second: frame rate of the camera, Hz.
    """
    _print_heading(console, f'Live exam: {EXAM_FRAMES} frames of views that were never taught')
    live.started = True
    with exam_bar(console, EXAM_FRAMES) as show:

        def all_shown() -> bool:
            show(live.exam, live.subject)
            return live.exam.shown >= EXAM_FRAMES

        stage.show(SCENE_EXAM)
        stage.spin_until(all_shown, 5.0 + 2.0 * EXAM_FRAMES / frames_per_second)
        stage.spin_until(lambda: live.exam.complete, _SECONDS_FOR_LAST_FRAMES)
        show(live.exam, live.subject)
    print_score(console, live.exam)


def write_results(output: Path, live: LiveExam, training: Any, samples: int) -> None:
    """
    Write the contact sheet, the retrained model and the figures.

    Args:
        output: an existing folder.
        live: the exam, which has ended.
        training: the ``Train.Result``.
        samples: number of stored samples.
    """
    exam = live.exam
    sheet = draw_contact_sheet(
        choose_frames(exam.frames, live.pictures),
        live.pictures,
        f'Live exam: {exam.right} of {exam.planned} frames right',
        f'views never taught, {exam.frames_per_second:.1f} frames/s. '
        'Columns: truth. Below each frame: classification and confidence.',
    )
    save_contact_sheet(sheet, output / CONTACT_SHEET_FILE)
    shutil.copyfile(training.model_path, output / MODEL_FILE)
    figures = {
        'live_accuracy': round(exam.accuracy, 4),
        'exam_frames': exam.planned,
        'answered': exam.classified,
        'right': exam.right,
        'train_accuracy': round(training.train_accuracy, 4),
        'validation_accuracy': round(training.validation_accuracy, 4),
        'quantized_validation_accuracy': round(training.quantized_validation_accuracy, 4),
        'training_seconds': round(training.seconds, 2),
        'frames_per_second': round(exam.frames_per_second, 2),
        'latency_ms': round(exam.latency_s * 1000.0, 1),
        'samples': samples,
        'subjects': len(SUBJECTS),
    }
    (output / RESULT_FILE).write_text(json.dumps(figures) + '\n')


def lesson(output: Path, frames_per_second: float) -> None:
    """
    Add samples, train and run the exam, and write the results.

    Args:
        output: an existing folder for the results.
        frames_per_second: frame rate of the camera, Hz.

    Raises:
        RetrainClientError: if a request to the retrain node times out or is rejected.
        StageError: if the camera does not respond or rejects a scene.
        OSError: if a result cannot be written.
    """
    console = Console(highlight=False)
    live = LiveExam(EXAM_FRAMES)
    stage = Stage(live.on_truth, live.on_image)
    try:
        with RetrainClient(stage.node) as robot:
            robot.on_result(live.on_result)
            stage.wait_until_ready(_SECONDS_TO_START)
            robot.wait_until_ready()
            samples = teach(robot, stage, console, frames_per_second)
            training = train(robot, console)
            examine(stage, live, console, frames_per_second)
        write_results(output, live, training, samples)
        console.print(f'\nContact sheet, retrained model and logs are in {output}', markup=False)
    finally:
        stage.close()


def _print_heading(console: Console, text: str) -> None:
    console.print(f'\n[bold]{text}[/bold]')


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the lesson; return the exit code: 0 if it completes, 1 on failure, 130 on a signal."""
    parser = argparse.ArgumentParser(description='teach, train and examine the retrain node')
    parser.add_argument('output', type=Path, help='folder for the results')
    parser.add_argument('rate', type=float, help="the camera's frames per second")
    options = parser.parse_args(arguments)
    return run_with_ros(partial(lesson, options.output, options.rate))


if __name__ == '__main__':
    raise SystemExit(main())
