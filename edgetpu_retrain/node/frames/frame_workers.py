# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
"""FrameWorkers: a frame worker for each device, and each camera's way to its own."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future
import threading

from edgetpu_retrain.node.frames.frame_worker import FrameWorker
from edgetpu_retrain.node.frames.newest_frames import Frame
from edgetpu_retrain.node.models.loaded_model import LoadedModel
from edgetpu_retrain.pictures.image_conversion import RgbArray
from edgetpu_retrain.store.samples.embedding_kind import RawArray


class FrameWorkers:
    """
    Several frame workers that serve one model, each the cameras of one device.

    No worker waits for another: a device that hangs holds up its own cameras only.

    Args:
        workers: of each device.
        device_of: camera name to device.
        healthiest: answers which device is to be asked for what any of them could do.
    """

    def __init__(
        self,
        workers: Mapping[str, FrameWorker],
        device_of: Mapping[str, str],
        healthiest: Callable[[], str],
    ) -> None:
        self._workers = workers
        self._device_of = device_of
        self._healthiest = healthiest

    def start(self) -> None:
        """Begin to work; it can be stopped and started again."""
        for worker in self._workers.values():
            worker.start()

    def stop(self) -> None:
        """End after the frames in hand; jobs that did not begin are cancelled."""
        for worker in self._workers.values():
            worker.stop()

    def offer(self, frame: Frame) -> None:
        """Hand over a camera's newest frame; never waits for inference."""
        self._workers[self._device_of[frame.camera]].offer(frame)

    def embed(self, rgb: RgbArray) -> Future[RawArray]:
        """Return the raw embedding ``[D]`` that a picture is going to have."""
        return self._workers[self._healthiest()].embed(rgb)

    def serve(self, model: LoadedModel) -> Future[None]:
        """
        Swap models, each worker between two of its frames.

        Meanwhile some may answer by the new model and some still by the old one; each answer
        carries the version that gave it.

        Args:
            model: the new one, prepared by the engines of all devices.

        Returns:
            Ends when every worker serves the new one.
        """
        return _all_of(
            [
                worker.serve(model, model.prepared[device])
                for device, worker in self._workers.items()
            ]
        )


def _all_of(parts: Sequence[Future[None]]) -> Future[None]:
    """Return what ends with the last part; cancelled or failed when some part is."""
    whole: Future[None] = Future()
    remaining = set(parts)
    lock = threading.Lock()

    def end(part: Future[None]) -> None:
        with lock:
            remaining.discard(part)
            if remaining:
                return
        if any(each.cancelled() for each in parts):
            whole.cancel()
        elif errors := [error for each in parts if (error := each.exception())]:
            whole.set_exception(errors[0])
        else:
            whole.set_result(None)

    for part in parts:
        part.add_done_callback(end)
    return whole
