# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
"""
A robot without ROS that teaches itself, trains and swaps models until it is killed.

    python3 robot_to_kill.py DATA_FOLDER EXTRACTOR SEED

Each line that it prints is a JSON object.  The first one says what it found; then it waits for a
line from its parent.  From then on each thing that it does is announced, and acknowledged when
the store has said that it is done.  A sample is known by its stamp, a number that counts up, and
its embedding follows from that number.
"""

from __future__ import annotations

from collections.abc import Iterator
import json
import os
from pathlib import Path
import random
import sys

from edgetpu_retrain import SoftmaxRegression
from edgetpu_retrain.model_file.description import describe, ModelDescription
from edgetpu_retrain.model_file.head.append_head import append_head
from edgetpu_retrain.model_file.quantization import dequantize
from edgetpu_retrain.store.files.data_folder import data_folder
from edgetpu_retrain.store.files.ownership import Ownership
from edgetpu_retrain.store.models.choice_file import ChoiceFile
from edgetpu_retrain.store.models.model_record import ModelRecord
from edgetpu_retrain.store.models.model_store import ModelStore
from edgetpu_retrain.store.samples.sample_store import SampleStore
import numpy as np
import numpy.typing as npt
from support.samples import add_sample

LABELS = ('mug', 'hat', 'dog')
MANY_SAMPLES = 200
KEPT_MODELS = 3
JPEG = b'\xff\xd8\xff\xe0' + bytes(20_000)


def tell(**line: object) -> None:
    """Print a line in one go: of a killed process's last line there is all or nothing."""
    os.write(1, f'{json.dumps(line)}\n'.encode())


def embedding_of(stamp: int, dimension: int) -> npt.NDArray[np.uint8]:
    """Return the embedding that belongs to a stamp, uint8 ``[D]``."""
    return np.random.default_rng(stamp).integers(0, 256, dimension, dtype=np.uint8)


class Robot:
    """All that is open, and what can be done with it."""

    def __init__(self, folder: Path, extractor: bytes, seed: int) -> None:
        self.extractor = extractor
        self.kind: ModelDescription = describe(extractor)
        self.identity = self.kind.identity
        self.random = random.Random(seed)
        self.samples = SampleStore(folder / 'samples.db')
        self.models = ModelStore(folder / 'models')
        self.choice = ChoiceFile(self.models)
        listed = self.samples.list_samples(limit=1, extractor=self.identity)
        self.stamp = listed[0].stamp_ns if listed else 0

    def check(self) -> None:
        """Make sure that what is there is whole, and tell what it is."""
        snapshot = self.samples.training_set(extractor=self.identity)
        listed = self.samples.list_samples(extractor=self.identity)[::-1]
        for sample, embedding in zip(listed, snapshot.embeddings, strict=True):
            expected = embedding_of(sample.stamp_ns, self.kind.dimension)
            np.testing.assert_array_equal(embedding, expected)
            if sample.has_image:
                picture = self.samples.picture(sample.sample_id)
                assert picture is not None
                assert picture.jpeg == JPEG
        order = self.choice.versions_to_try()
        serving = self.choice.current()
        if order:
            # None of them is damaged, so the first one serves.
            self.models.load(order[0])
        tell(
            samples=[[each.stamp_ns, each.label, each.has_image] for each in listed],
            versions=self.models.versions(),
            unusable=list(self.models.unusable()),
            serves=order[0] if order else 0,
            choice=[serving.version, serving.newest, serving.swaps] if serving else [0, 0, 0],
        )

    def capture(self) -> Iterator[int]:
        """Store a few samples of a class in one request."""
        label = self.random.choice(LABELS)
        addition = first_stamp = 0
        for _ in range(self.random.randrange(1, 8)):
            self.stamp += 1
            first_stamp = first_stamp or self.stamp
            image = self.random.choice((None, JPEG))
            tell(
                doing='add',
                stamp=self.stamp,
                label=label,
                image=image is not None,
                request=first_stamp,
            )
            sample = add_sample(
                self.samples,
                label,
                embedding_of(self.stamp, self.kind.dimension),
                extractor=self.identity,
                quantization=self.kind.quantization,
                stamp_ns=self.stamp,
                addition=addition,
                image=image,
            )
            addition = addition or sample
            yield 0

    def correct(self) -> Iterator[int]:
        """Undo, redo, relabel or remove something."""
        what = self.random.choice(('undo', 'redo', 'relabel', 'remove'))
        label, new_label = self.random.sample(LABELS, 2)
        counts = self.samples.counts(extractor=self.identity)
        if what == 'undo':
            tell(doing='undo')
            self.samples.undo()
        elif what == 'redo':
            tell(doing='redo')
            self.samples.redo()
        elif what == 'relabel':
            tell(doing='relabel', label=label, new_label=new_label)
            self.samples.relabel_class(label, new_label, extractor=self.identity)
        elif sum(counts.values()) > MANY_SAMPLES:
            label = max(counts, key=lambda name: counts[name])
            tell(doing='remove', label=label)
            self.samples.remove(label, 0, extractor=self.identity)
        else:
            return
        yield 0

    def train(self) -> Iterator[int]:
        """Train a head, store the model, let it serve and delete old ones."""
        snapshot = self.samples.training_set(extractor=self.identity)
        if len(snapshot.names) < 2:
            return
        tell(doing='train')
        rows = dequantize(snapshot.embeddings, snapshot.quantization)
        data: dict[str, npt.ArrayLike] = {
            'data_train': rows,
            'labels_train': snapshot.labels,
            'data_val': rows,
            'labels_val': snapshot.labels,
        }
        learner = SoftmaxRegression(rows.shape[1], len(snapshot.names), seed=1)
        learner.train_with_sgd(data, 30, 0.01, batch_size=16, silent=True)
        model = append_head(self.extractor, learner.head(snapshot.names))
        yield 0
        tell(doing='save')
        record = ModelRecord(
            labels=snapshot.names,
            sample_counts=dict.fromkeys(snapshot.names, 1),
            train_accuracy=1.0,
            validation_accuracy=1.0,
            quantized_validation_accuracy=1.0,
            confusion_matrix=tuple((0,) * len(snapshot.names) for _ in snapshot.names),
            extractor=self.identity,
            seconds=0.0,
        )
        version = self.models.save(model, record).version
        yield version
        yield from self.choose(version)
        yield from self.prune(KEPT_MODELS, version)

    def roll_back(self) -> Iterator[int]:
        """Let the version before the serving one serve, where there is one."""
        serving = self.choice.current()
        previous = self.models.previous(serving.version) if serving else None
        if previous is not None:
            yield from self.choose(previous.version)
            yield from self.prune(1, previous.version)

    def choose(self, version: int) -> Iterator[int]:
        """Let a version serve."""
        tell(doing='choose', version=version)
        self.choice.choose(version)
        yield 0

    def prune(self, keep: int, serving: int) -> Iterator[int]:
        """Delete old versions."""
        tell(doing='prune', keep=keep)
        self.models.prune(keep, in_use={serving})
        yield 0


def main(folder: str, extractor: str, seed: str) -> None:
    """Go on until killed; end when nobody wants it to begin."""
    path = data_folder(folder)
    with Ownership(path):
        robot = Robot(path, Path(extractor).read_bytes(), int(seed))
        robot.check()
        if not sys.stdin.readline():
            return
        while True:
            activity = robot.random.choice(
                (robot.capture, robot.capture, robot.correct, robot.train, robot.roll_back)
            )
            for version in activity():
                tell(done=True, version=version)


if __name__ == '__main__':
    main(*sys.argv[1:])
