# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
"""Teacher: carries out the actions of the buttons with a client of the retrain node."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
import threading
import time
from typing import Any

from edgetpu_retrain.client import RetrainClient, RetrainClientError
from edgetpu_retrain.errors import RetrainError
from edgetpu_retrain.gamepad.buttons import Action, Kind
from edgetpu_retrain.gamepad.feedback import FAILED, Feedback, STORED, TRAINED
from edgetpu_retrain.wording import counted, quoted, sentence, TIME_IS_UP

# Time limit of a request for one frame, seconds.  If the camera does not move, all frames are near
# copies, which the node skips until the time limit.  A frame may be stored up to this time after
# the release.
_FRAME_S = 0.3


class Teacher:
    """
    Carries out actions in its own threads, so that the caller can read the buttons meanwhile.

    A capture requests single frames, one after another, until its button is released.  All samples
    of a capture belong to one recording.

    Args:
        robot: client of the retrain node.
        camera: name of the camera to capture from; '' = the next frames of any camera.
        feedback: shows the results on the gamepad.
        log: logger of the node.
    """

    def __init__(self, robot: RetrainClient, camera: str, feedback: Feedback, log: Any) -> None:
        self._robot = robot
        self._camera = camera
        self._feedback = feedback
        self._log = log
        self._held = threading.Event()
        # Captures and undos run one after another, in the order of the presses.  A training runs
        # in another thread.
        self._samples = ThreadPoolExecutor(1, 'samples')
        self._trainings = ThreadPoolExecutor(1, 'trainings')

    def do(self, action: Action) -> None:
        """Start an action, or end a capture, without blocking."""
        if action.kind is Kind.RELEASE:
            self._held.clear()
        elif action.kind is Kind.CAPTURE:
            # Create a new event, because the previous capture may not have read its event since
            # the release.
            self._held = threading.Event()
            self._held.set()
            self._samples.submit(self._guarded, self._capture, action.label, self._held)
        elif action.kind is Kind.UNDO:
            self._samples.submit(self._guarded, self._undo)
        else:
            # Queue the training behind the captures, so that it uses their samples.
            self._samples.submit(lambda: self._trainings.submit(self._guarded, self._train))

    def close(self) -> None:
        """End the capture, and discard the actions that have not started."""
        self._held.clear()
        for threads in (self._samples, self._trainings):
            threads.shutdown(wait=False, cancel_futures=True)

    def _guarded(self, work: Any, *arguments: Any) -> None:
        try:
            work(*arguments)
        except RetrainError as error:
            self._feedback.rumble(FAILED)
            self._log.error(sentence(error))

    def _capture(self, label: str, held: threading.Event) -> None:
        recording = f'gamepad {time.strftime("%Y-%m-%d %H:%M:%S")} {label}'
        stored = skipped = total = 0
        self._feedback.light(on=True)
        try:
            while held.is_set():
                response = self._capture_frame(label, recording)
                stored += response.added
                skipped += response.skipped
                total = response.label_total
                if response.added:
                    self._feedback.rumble(STORED)
        finally:
            self._feedback.light(on=False)
        copies = counted(skipped, 'near copy', 'near copies')
        self._log.info(f'{quoted(label)}: {stored} stored, {copies} left out, {total} in all')

    def _capture_frame(self, label: str, recording: str) -> Any:
        try:
            return self._robot.add_samples(
                label, camera=self._camera, timeout_s=_FRAME_S, recording=recording
            )
        except RetrainClientError as error:
            # That no frame arrived until the time limit does not end the capture.
            if not str(error).startswith(TIME_IS_UP):
                raise
            self._log.warning(sentence(error), throttle_duration_sec=2.0)
            return error.response

    def _undo(self) -> None:
        self._log.info(self._robot.undo())

    def _train(self) -> None:
        self._log.info('training')
        self._log.info(self._robot.train().result().message)
        self._feedback.rumble(TRAINED)
