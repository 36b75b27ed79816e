# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
"""The lower bound for the node's time: a bare loop of resize, invoke and head."""

from __future__ import annotations

from collections.abc import Sequence
import itertools
import time

import cv2
from edgetpu_retrain.demo.camera_motion import RgbArray
from edgetpu_retrain.model_file.description import describe_embedding
from edgetpu_retrain.runtime.interpreters.preprocessing import fit_to_input
from edgetpu_retrain.runtime.interpreters.tflite_runtimes import cpu_runtime


class BareLoop:
    """
    Classifies pictures that are already in memory.

    It resizes as the node does, runs the retrained model in the node's runtime, both with the same
    number of threads as the node, and reads the scores.

    Args:
        model: bytes of a retrained .tflite file, as users get it.
        num_threads: threads for inference and resizing.
    """

    def __init__(self, model: bytes, num_threads: int) -> None:
        # A setting of the whole process, which does nothing else at that time.
        cv2.setNumThreads(num_threads)
        self._description = describe_embedding(model)
        self._interpreter = cpu_runtime().make_interpreter(model, num_threads=num_threads)
        self._interpreter.allocate_tensors()
        self._input = self._interpreter.tensor(self._interpreter.get_input_details()[0]['index'])
        self._scores = self._interpreter.get_output_details()[0]['index']

    def rate(self, frames: Sequence[RgbArray], seconds: float) -> float:
        """Return how many frames per second it classifies at full speed."""
        self._classify(frames[0])
        begin = time.perf_counter()
        for count, frame in enumerate(itertools.cycle(frames), start=1):
            self._classify(frame)
            if (took := time.perf_counter() - begin) >= seconds:
                return count / took
        raise ValueError('there are no frames')

    def latencies_ms(
        self, frames: Sequence[RgbArray], seconds: float, frame_rate: float
    ) -> list[float]:
        """Return the milliseconds for each frame at a camera's rate."""
        latencies = []
        due = time.perf_counter()
        for number in range(round(seconds * frame_rate)):
            time.sleep(max(0.0, due - time.perf_counter()))
            begin = time.perf_counter()
            self._classify(frames[number % len(frames)])
            latencies.append(1000 * (time.perf_counter() - begin))
            due += 1.0 / frame_rate
        return latencies

    def _classify(self, frame: RgbArray) -> None:
        fit_to_input(frame, self._description, out=self._input())
        self._interpreter.invoke()
        self._interpreter.get_tensor(self._scores)
