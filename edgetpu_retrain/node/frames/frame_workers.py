# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
"""FrameWorkers: one frame worker per device, and the assignment of cameras to devices."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from concurrent.futures import Future
from dataclasses import dataclass
import time

from edgetpu_retrain.node.frames.frame_worker import FrameWorker
from edgetpu_retrain.node.frames.newest_frames import Frame
from edgetpu_retrain.node.models.loaded_model import LoadedModel
from edgetpu_retrain.pictures.pixels import RgbArray
from edgetpu_retrain.store.samples.embedding_kind import RawArray


@dataclass(frozen=True, eq=False)
class FrameWorkers:
    """
    The frame workers of all devices, which serve the same model.

    No worker waits for another, so a device that hangs delays only its own cameras.

    Args:
        workers: the worker of each device, by device name.
        device_of: the device of each camera, by camera name.
        healthiest: returns the name of the device that embeds pictures from requests.
    """

    workers: Mapping[str, FrameWorker]
    device_of: Mapping[str, str]
    healthiest: Callable[[], str]

    def start(self) -> None:
        """Start all workers; after :meth:`stop`, they can be started again."""
        for worker in self.workers.values():
            worker.start()

    def stop(self) -> None:
        """Stop all workers; see :meth:`FrameWorker.stop`."""
        for worker in self.workers.values():
            worker.stop()

    def offer(self, frame: Frame) -> None:
        """Accept a camera's newest frame, without waiting for inference."""
        self.workers[self.device_of[frame.camera]].offer(frame)

    def wait_until_idle(self, timeout_s: float) -> None:
        """Wait until each worker has been idle, at most ``timeout_s`` seconds in total."""
        deadline = time.monotonic() + timeout_s
        for worker in self.workers.values():
            worker.wait_until_idle(max(0.0, deadline - time.monotonic()))

    def embed(self, rgb: RgbArray) -> Future[RawArray]:
        """Embed a picture between two frames; return a future of its raw embedding ``[D]``."""
        return self.workers[self.healthiest()].embed(rgb)

    def serve(self, model: LoadedModel) -> None:
        """
        Swap models on all workers, each between two of its frames; return when all have swapped.

        Meanwhile, frames of some cameras may be classified by the new model, and frames of others
        by the old model.

        Args:
            model: the new model, prepared by the engines of all devices.

        Raises:
            CancelledError: if a worker stopped before its swap.
        """
        swaps = [
            worker.serve(model, model.prepared[device]) for device, worker in self.workers.items()
        ]
        for swap in swaps:
            swap.result()
