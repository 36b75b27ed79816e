# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
"""A frame worker with small real models, and a record of its output."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
import queue
import threading
from types import SimpleNamespace
from typing import Any

from edgetpu_retrain.learning import FloatArray, Head
from edgetpu_retrain.model_file.head.append_head import append_head
from edgetpu_retrain.node.cameras.detections import BoxClassification
from edgetpu_retrain.node.cameras.image_transport import RAW
from edgetpu_retrain.node.classifications.frame_output import FrameOutput
from edgetpu_retrain.node.frames.captures import Capture, Captures
from edgetpu_retrain.node.frames.frame_statistics import FrameStatistics
from edgetpu_retrain.node.frames.frame_worker import FrameWorker
from edgetpu_retrain.node.frames.newest_frames import Frame
from edgetpu_retrain.node.models.loaded_model import LoadedModel
from edgetpu_retrain.node.samples.sample_thread import SampleThread
from edgetpu_retrain.pictures.pixels import RgbArray
from edgetpu_retrain.pictures.region import Region
from edgetpu_retrain.runtime.engines.cpu_engine import CpuEngine
from edgetpu_retrain.runtime.models.extractor import Extractor
from edgetpu_retrain.store.models.model_record import ModelRecord
from edgetpu_retrain.store.models.model_store import ModelVersion
from edgetpu_retrain.store.samples.embedding_kind import RawArray
import numpy as np
from support.captures import capture_request
from support.small_models import build_extractor

PATIENCE_S = 30.0
EXTRACTOR = build_extractor('uint8')
PICTURE = np.random.default_rng(1).integers(0, 256, (12, 10, 3), np.uint8)


def retrained(*labels: str) -> bytes:
    weights = np.random.default_rng(len(labels)).normal(0, 0.1, (8, len(labels)))
    head = Head(weights.astype(np.float32), np.zeros(len(labels), np.float32), labels, (-4, 4))
    return append_head(EXTRACTOR, head)


def model(engine: CpuEngine, *labels: str) -> LoadedModel:
    record = ModelRecord(
        labels=labels,
        sample_counts=dict.fromkeys(labels, 1),
        train_accuracy=1.0,
        validation_accuracy=1.0,
        quantized_validation_accuracy=1.0,
        confusion_matrix=((0,) * len(labels),) * len(labels),
        extractor='',
        seconds=0.0,
    )
    version = ModelVersion(len(labels), Path('nowhere'), record, sha256='')
    return LoadedModel(version, {'cpu': engine.prepare(retrained(*labels))})


def frame(camera: str = 'front', arrived: float = 1.0, **changes: Any) -> Frame:
    height, width = PICTURE.shape[:2]
    fields = {
        'height': height,
        'width': width,
        'encoding': 'rgb8',
        'is_bigendian': 0,
        'step': 3 * width,
        'data': PICTURE.tobytes(),
        'header': SimpleNamespace(frame_id=''),
    }
    return Frame(camera, RAW, SimpleNamespace(**fields | changes), arrived)


@dataclass
class RecordedOutput(FrameOutput):
    """What a worker publishes and logs, each kind in its own queue."""

    classifications: queue.Queue[tuple[Frame, LoadedModel, FloatArray]] = field(
        default_factory=queue.Queue
    )
    embeddings: queue.Queue[tuple[Frame, RawArray]] = field(default_factory=queue.Queue)
    faults: queue.Queue[tuple[Frame, Exception]] = field(default_factory=queue.Queue)
    detections: queue.Queue[tuple[Frame, LoadedModel, Sequence[BoxClassification], int]] = field(
        default_factory=queue.Queue
    )
    order: list[str] = field(default_factory=list)
    broken: bool = False
    slow: threading.Event | None = None
    listens: bool = False

    def publish_classification(
        self, frame: Frame, model: LoadedModel, scores: FloatArray, embedding: RawArray
    ) -> None:
        if self.broken:
            raise RuntimeError('the publisher broke')
        np.testing.assert_array_equal(embedding, expected_embedding(frame.region))
        if self.slow is not None:
            self.slow.wait(PATIENCE_S)
        self.order.append(frame.camera)
        self.classifications.put((frame, model, scores))

    def wants_embeddings(self) -> bool:
        return self.listens

    def publish_embedding(self, frame: Frame, embedding: RawArray) -> None:
        self.embeddings.put((frame, embedding))

    def publish_detections(
        self, frame: Frame, model: LoadedModel, boxes: Sequence[BoxClassification], skipped: int
    ) -> None:
        self.order.append('boxes')
        self.detections.put((frame, model, boxes, skipped))

    def good_frame(self, frame: Frame) -> None:
        pass

    def log_fault(self, frame: Frame, error: Exception) -> None:
        self.faults.put((frame, error))


class RecordedSamples(SampleThread):
    """The captured frames that a worker has stored."""

    def __init__(self) -> None:
        self.captured: queue.Queue[tuple[Capture, Frame, RawArray]] = queue.Queue()
        self.pictures: list[RgbArray] = []

    def add_captured(
        self,
        captures: Captures,  # noqa: ARG002 - as in the base class
        capture: Capture,
        frame: Frame,
        rgb: RgbArray,
        embedding: RawArray,
    ) -> None:
        self.pictures.append(rgb)
        self.captured.put((capture, frame, embedding))


class WorkerBench:
    """A running worker with two cameras; without labels it serves no model."""

    def __init__(self, *labels: str) -> None:
        self.engine = CpuEngine(EXTRACTOR)
        serving = model(self.engine, *labels) if labels else None
        if serving is not None:
            self.engine.serve(serving.prepared['cpu'])
        self.output = RecordedOutput()
        self.captures = Captures()
        self.samples = RecordedSamples()
        self.statistics = FrameStatistics()
        self.worker = FrameWorker(
            self.engine, serving, self.captures, self.samples, self.output, self.statistics
        )
        self.worker.start()

    def ask(self, **changes: Any) -> Capture:
        capture = capture_request(**changes)
        self.captures.add(capture)
        return capture


def expected_embedding(region: Region | None = None) -> RawArray:
    return Extractor(EXTRACTOR).embed(region.cut(PICTURE) if region else PICTURE)


def detection(name: str, x: float, y: float, width: float, height: float) -> SimpleNamespace:
    center = SimpleNamespace(position=SimpleNamespace(x=x, y=y), theta=0.0)
    bbox = SimpleNamespace(center=center, size_x=width, size_y=height)
    return SimpleNamespace(id=name, bbox=bbox, results=[])


def detected(*boxes: SimpleNamespace, **changes: Any) -> Frame:
    return replace(frame(**changes), detections=SimpleNamespace(detections=list(boxes)))
