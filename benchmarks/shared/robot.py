# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
"""Starts the node under test, fills its data folder, and calls its interfaces."""

from __future__ import annotations

from collections.abc import Mapping
import os
from pathlib import Path
import sys
import time
from typing import Any

from benchmarks.shared.pictures import views
from diagnostic_msgs.msg import DiagnosticArray
from edgetpu_retrain.demo.photographs import SUBJECTS
from edgetpu_retrain.model_file.description import describe, ModelDescription
from edgetpu_retrain.processes.child_process import Processes
from edgetpu_retrain.runtime.models.extractor import Extractor
from edgetpu_retrain.store.files.data_folder import SAMPLES_FILE
from edgetpu_retrain.store.samples.sample import Sample
from edgetpu_retrain.store.samples.sample_store import SampleStore
from edgetpu_retrain_interfaces.action import Train
from edgetpu_retrain_interfaces.srv import ListSamples, LoadModel
import numpy as np
import rclpy
from rclpy.action import ActionClient
from rclpy.time import Time

NAME = '/edgetpu_retrain'
IMAGE_TOPIC = '/camera/image'
TOPICS = {'raw': IMAGE_TOPIC, 'compressed': f'{IMAGE_TOPIC}/compressed'}
"""Topic of each camera; the node names its cameras after their transport."""

_PATIENCE_S = 120.0
# Linux divides the processor first among sessions, and then among the threads of each (sched(7),
# "autogroup").  A launch file starts all nodes of a robot in one session, so the busy processes
# are in that of the node.
_BESIDE_BUSY_PROCESSES = 'for n in $(seq "$1"); do "$2" -c "$3" & done; shift 3; exec "$@"'
# It ends when the node does.
_BUSY = """
import os
node = os.getppid()
while os.getppid() == node:
    pass
"""
# Smaller than the images of the cameras, to save time.
_SAMPLE_SIZE = (320, 240)
_MOST_VIEWS = 1000
_BATCH = 1000
# Standard deviation in steps of the quantization.
_NOISE = 4.0
_CLOCK_TICKS = os.sysconf('SC_CLK_TCK')


def teach_at_random(data_dir: Path, extractor: bytes, samples: int) -> None:
    """
    Fill a data folder with random embeddings, for a random extractor.

    Args:
        data_dir: data folder of a node that is not running.
        extractor: bytes of the .tflite file.
        samples: total number of samples.
    """
    rng = np.random.default_rng(0)
    description = describe(extractor)
    kind = np.iinfo(description.output_dtype)
    typical = rng.uniform(kind.min, kind.max, (len(SUBJECTS), description.dimension))
    data_dir.mkdir(parents=True)
    with SampleStore(data_dir / SAMPLES_FILE) as store:
        for number in range(samples):
            label = number % len(SUBJECTS)
            embedding = typical[label] + rng.normal(0, 20, description.dimension)
            raw = np.clip(np.rint(embedding), kind.min, kind.max).astype(kind.dtype)
            sample = Sample(SUBJECTS[label], {description.identity: raw})
            store.add([sample], {description.identity: description.quantization})


def teach(data_dir: Path, extractor: bytes, samples: int) -> None:
    """
    Fill a data folder with samples of the subjects of the packaged photographs.

    Beyond 1000 samples, noise is added to the embeddings of the others, to save time.

    Args:
        data_dir: data folder of a node that is not running.
        extractor: bytes of the .tflite file that computes the embeddings.
        samples: total number of samples.
    """
    model = Extractor(extractor, device='cpu', num_threads=os.cpu_count() or 1)
    about = model.description
    data_dir.mkdir(parents=True)
    with SampleStore(data_dir / SAMPLES_FILE) as store:
        shown = min(samples, _MOST_VIEWS)
        for number, subject in enumerate(SUBJECTS):
            count = shown * (number + 1) // len(SUBJECTS) - shown * number // len(SUBJECTS)
            for picture in views(subject, count, *_SAMPLE_SIZE):
                sample = Sample(subject, {about.identity: model.embed(picture)})
                store.add([sample], {about.identity: about.quantization})
        _add_noisy_copies(store, about, samples - shown)


def _add_noisy_copies(store: SampleStore, about: ModelDescription, count: int) -> None:
    rng = np.random.default_rng(0)
    taught = store.training_set(extractor=about.identity)
    kind = np.iinfo(about.output_dtype)
    for begin in range(0, count, _BATCH):
        rows = rng.integers(len(taught.labels), size=min(_BATCH, count - begin))
        noisy = taught.embeddings[rows] + rng.normal(0, _NOISE, (len(rows), about.dimension))
        raw = np.clip(np.rint(noisy), kind.min, kind.max).astype(kind.dtype)
        labels = [taught.names[label] for label in taught.labels[rows]]
        samples = [
            Sample(label, {about.identity: each}) for label, each in zip(labels, raw, strict=True)
        ]
        store.add(samples, {about.identity: about.quantization})


class Robot:
    """
    The retrain node as a child process; the end of the context stops it with SIGINT.

    Args:
        folder: folder for its log.
        extractor: path of the extractor that computed the samples' embeddings.
        data_dir: data folder with the samples.
        num_threads: threads for inference.
        environment: environment of the process.
        parameters: additional parameters of the node.
        busy_processes: number of processes that keep the cores busy meanwhile.
    """

    def __init__(
        self,
        folder: Path,
        extractor: Path,
        data_dir: Path,
        num_threads: int,
        environment: Mapping[str, str],
        parameters: Mapping[str, object] | None = None,
        busy_processes: int = 0,
    ) -> None:
        self._processes = Processes(folder)
        values = {
            'cameras': f'[{", ".join(TOPICS)}]',
            'compressed.image_transport': 'compressed',
            **{f'{camera}.image_topic': IMAGE_TOPIC for camera in TOPICS},
            'extractor': extractor,
            'data_dir': data_dir,
            'num_threads': num_threads,
            **(parameters or {}),
        }
        given = [part for name, value in values.items() for part in ('-p', f'{name}:={value}')]
        command = [sys.executable, '-m', 'edgetpu_retrain.node.main', '--ros-args', *given]
        if busy_processes:
            busy = [str(busy_processes), sys.executable, _BUSY]
            command = ['sh', '-c', _BESIDE_BUSY_PROCESSES, 'sh', *busy, *command]
        self._child = self._processes.start('node', command, environment)
        self.pid = self._child.process.pid
        self._node = rclpy.create_node('benchmark')
        self._load = self._node.create_client(LoadModel, f'{NAME}/load_model')
        self._list = self._node.create_client(ListSamples, f'{NAME}/list_samples')
        self._train = ActionClient(self._node, Train, f'{NAME}/train')
        self._diagnostics: list[Any] = []
        self._node.create_subscription(
            DiagnosticArray, '/diagnostics', self._diagnostics.append, 10
        )

    def __enter__(self) -> Robot:
        return self

    def __exit__(self, *_: object) -> None:
        self._train.destroy()
        self._node.destroy_node()
        self.end()

    def end(self) -> int:
        """Send SIGINT, unless the node has ended already, and return its exit code."""
        self._processes.end_all()
        return self._child.process.wait()

    @property
    def has_ended(self) -> bool:
        """Whether its process has ended."""
        return self._child.exit_code is not None

    @property
    def log(self) -> str:
        """The output of the node so far."""
        return self._child.log.read_text(errors='replace')

    def wait_until_ready(self) -> None:
        """Wait until the node is active and responds."""
        deadline = time.monotonic() + _PATIENCE_S
        while not (self._list.wait_for_service(1.0) and self._listed()):
            if time.monotonic() > deadline or self._child.exit_code is not None:
                raise RuntimeError(f'the node is not ready:\n{self._child.last_log_lines()}')

    def train(self) -> Path:
        """Train with the node's parameters and return the new model's path."""
        goal = self._wait(self._train.send_goal_async(Train.Goal()))
        result = self._wait(goal.get_result_async()).result
        if not result.success:
            raise RuntimeError(f'~/train failed: {result.message}')
        return Path(result.model_path)

    def load_model(self, version: int) -> int:
        """Load another version and return its number."""
        response = self._wait(self._load.call_async(LoadModel.Request(version=version)))
        if not response.success:
            raise RuntimeError(f'~/load_model failed: {response.message}')
        return int(response.model_version)

    def stages_ms(self, camera: str) -> dict[str, float]:
        """Return the next percentiles of a camera's latest frames on /diagnostics."""
        return {
            key.removesuffix(' (ms)'): float(value)
            for key, value in self._camera_values(camera).items()
            if key.endswith(' (ms)')
        }

    def received(self, camera: str) -> int:
        """Return the next count of a camera's received images on /diagnostics."""
        return int(self._camera_values(camera)['frames received'])

    def _camera_values(self, camera: str) -> dict[str, str]:
        # Older ones may still be queued.
        now = self._node.get_clock().now()
        while not self._diagnostics or Time.from_msg(self._diagnostics[-1].header.stamp) < now:
            rclpy.spin_once(self._node, timeout_sec=_PATIENCE_S)
        (status,) = [s for s in self._diagnostics[-1].status if s.hardware_id == camera]
        return {value.key: value.value for value in status.values}

    def resident_mib(self) -> float:
        """Return the resident memory of the node, MiB."""
        return self._status('VmRSS') / 1024

    def threads(self) -> int:
        """Return the number of its threads."""
        return self._status('Threads')

    def handles(self) -> int:
        """Return the number of its open file descriptors."""
        return len(list(Path(f'/proc/{self.pid}/fd').iterdir()))

    def cpu_seconds(self) -> float:
        """Return the processor time of all its threads so far, seconds."""
        # The third and later fields follow the name in brackets; see proc(5).
        fields = Path(f'/proc/{self.pid}/stat').read_text().rpartition(')')[2].split()
        return (int(fields[11]) + int(fields[12])) / _CLOCK_TICKS

    def _status(self, name: str) -> int:
        status = Path(f'/proc/{self.pid}/status').read_text()
        (line,) = [line for line in status.splitlines() if line.startswith(f'{name}:')]
        return int(line.split()[1])

    def _listed(self) -> bool:
        return bool(self._wait(self._list.call_async(ListSamples.Request())).success)

    def _wait(self, future: Any) -> Any:
        rclpy.spin_until_future_complete(self._node, future, timeout_sec=_PATIENCE_S)
        if not future.done():
            raise RuntimeError(f'the node does not respond:\n{self._child.last_log_lines()}')
        return future.result()
