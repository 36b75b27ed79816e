# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
"""The measurements of the node's benchmark, each in one function."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
import contextlib
from dataclasses import dataclass, field
import statistics
import time
from typing import Any

from benchmarks.node.bare_loop import BareLoop
from benchmarks.node.figures import Latency, lost_to_swaps, Recording
from benchmarks.shared.dialogue import Child
from benchmarks.shared.figures import growth, percentile
from benchmarks.shared.pictures import decoded, jpeg, message, pictures
from benchmarks.shared.robot import NAME, Robot, TOPICS
from edgetpu_retrain.demo.camera_motion import RgbArray
from rclpy.serialization import deserialize_message, serialize_message

CAMERA_RATE = 30.0
OVER_BARE_RATE = 1.2
VARIANTS = tuple(
    (transport, width, height)
    for width, height in ((640, 480), (1920, 1080))
    for transport in ('raw', 'compressed')
)
RECEPTIONS = tuple(
    (size, rate) for size in ((640, 480), (1280, 720)) for rate in (10.0, CAMERA_RATE)
)
SWAPS = 20

_TRANSPORT_TOPIC = '/transport/image'
_CLASSIFICATION_TOPIC = f'{NAME}/classification'
# Time for discovery between a new publisher and its subscribers, and for warming up.
WARM_UP_S = 1.0
# All classifications arrive within this time, or never.
_LATE_S = 0.5
_MEMORY_PERIOD_S = 2.0


@dataclass(frozen=True)
class Bench:
    """
    The processes and settings of all measurements.

    Args:
        camera: the process that publishes.
        listener: the process that records arrivals.
        robot: the node.
        bare: the bare loop.
        seconds: duration of a phase.
        rounds: number of rounds of alternating phases.
    """

    camera: Child
    listener: Child
    robot: Robot
    bare: BareLoop
    seconds: float
    rounds: int

    @contextlib.contextmanager
    def phase(
        self,
        variant: tuple[str, int, int],
        rate: float = CAMERA_RATE,
        *,
        node: bool = True,
        reliable: bool = False,
        warm_up_s: float = WARM_UP_S,
    ) -> Iterator[_Phase]:
        """
        Publish images and record arrivals during the context.

        Args:
            variant: transport, width and height.
            rate: images per second.
            node: record the node's classifications; otherwise the images themselves.
            reliable: publish the images, and subscribe to them, reliably.
            warm_up_s: images of the first seconds do not count.
        """
        transport, width, height = variant
        topic = TOPICS[transport] if node else _TRANSPORT_TOPIC
        self.listener.request(
            what='start',
            topic=_CLASSIFICATION_TOPIC if node else topic,
            type='classification' if node else transport,
            reliable=reliable,
        )
        self.camera.request(
            what='start',
            topic=topic,
            transport=transport,
            width=width,
            height=height,
            rate=rate,
            reliable=reliable,
        )
        phase = _Phase()
        try:
            yield phase
        finally:
            published = self.camera.request(what='stop')
            time.sleep(_LATE_S)
            arrivals = self.listener.request(what='stop')
            whole = Recording(published, dict(arrivals))
            phase.recording = whole.without_first(warm_up_s)

    def record(
        self, variant: tuple[str, int, int], rate: float = CAMERA_RATE, *, node: bool = True
    ) -> Recording:
        """Return the recording of one phase."""
        with self.phase(variant, rate, node=node) as phase:
            time.sleep(WARM_UP_S + self.seconds)
        return phase.recording


@dataclass
class _Phase:
    recording: Recording = field(default_factory=lambda: Recording([], {}))


def throughput(bench: Bench) -> dict[str, float]:
    """Return the rates of node and bare loop, which alternate, and the median of their ratios."""
    frames = pictures(640, 480)
    bare, published, node, ratios = [], [], [], []
    for _ in range(bench.rounds):
        before = bench.bare.rate(frames, bench.seconds / 2)
        recording = bench.record(('raw', 640, 480), OVER_BARE_RATE * before)
        after = bench.bare.rate(frames, bench.seconds / 2)
        published.append(recording.published_a_second())
        node.append(recording.arrivals_a_second())
        bare.append((before + after) / 2)
        ratios.append(node[-1] / bare[-1])
    return {
        'bare_fps': statistics.median(bare),
        'published_fps': statistics.median(published),
        'node_fps': statistics.median(node),
        'ratio': statistics.median(ratios),
        'bare_ms': 1000 / statistics.median(bare),
    }


def latency(bench: Bench, variant: tuple[str, int, int]) -> dict[str, Any]:
    """Return the latency added by the node, its stages and the processor's load."""
    transport, floor, total, loads, lost, count = [], [], [], [], 0, 0
    frames = _frames(variant)
    for _ in range(bench.rounds):
        transport += bench.record(variant, node=False).latencies_ms()
        begin, used = time.monotonic(), bench.robot.cpu_seconds()
        recording = bench.record(variant)
        loads.append((bench.robot.cpu_seconds() - used) / (time.monotonic() - begin - _LATE_S))
        total += recording.latencies_ms()
        lost += recording.lost()
        count += len(recording.published)
        floor += bench.bare.latencies_ms(frames, bench.seconds / 2, CAMERA_RATE)
    summary = Latency.of(transport, floor, total)
    return {
        'transport_ms': summary.transport,
        'transport_p99_ms': percentile(transport, 99),
        'floor_ms': summary.floor,
        'floor_p99_ms': percentile(floor, 99),
        'total_p50_ms': summary.total_p50,
        'total_p99_ms': summary.total_p99,
        'added_p50_ms': summary.added_p50,
        'added_p99_ms': summary.added_p99,
        'frames': count,
        'frames_lost': lost,
        'cpu_percent': 100 * statistics.median(loads),
        'deserialization_ms': deserialization_ms(variant),
        'stages_ms': bench.robot.stages_ms(variant[0]),
    }


def reception(
    bench: Bench, receptions: Sequence[tuple[tuple[int, int], float]] = RECEPTIONS
) -> dict[str, dict[str, float]]:
    """
    Return how many images of a reliable publisher arrive, beside a bare reliable subscriber.

    Args:
        bench: its camera has the settings of the middleware to be measured.
        receptions: sizes and rates of the images.
    """
    rows = {}
    # The node subscribes reliably from now on.
    _received_by_node(bench, ('raw', *receptions[0][0]), CAMERA_RATE)
    for (width, height), rate in receptions:
        published, subscriber, node = 0, 0.0, 0.0
        for _ in range(bench.rounds):
            variant = ('raw', width, height)
            with bench.phase(variant, rate, node=False, reliable=True) as phase:
                time.sleep(WARM_UP_S + bench.seconds)
            subscriber += 1.0 - phase.recording.lost() / len(phase.recording.published)
            count, received = _received_by_node(bench, variant, rate)
            published += count
            node += received / count
        rows[f'{width}x{height}, {rate:.0f} Hz'] = {
            'published': published,
            'subscriber': subscriber / bench.rounds,
            'node': node / bench.rounds,
            'node_over_subscriber': node / subscriber,
        }
    return rows


def _received_by_node(bench: Bench, variant: tuple[str, int, int], rate: float) -> tuple[int, int]:
    """Return how many images were published reliably, and how many the node received."""
    before = bench.robot.received(variant[0])
    with bench.phase(variant, rate, reliable=True, warm_up_s=0.0) as phase:
        time.sleep(WARM_UP_S + bench.seconds)
    return len(phase.recording.published), bench.robot.received(variant[0]) - before


def deserialization_ms(variant: tuple[str, int, int], repeats: int = 15) -> float:
    """Return the median time that rclpy takes to deserialize an image."""
    image = message(pictures(*variant[1:])[0], variant[0])
    serialized, message_type = serialize_message(image), type(image)
    seconds = []
    for _ in range(repeats):
        begin = time.perf_counter()
        deserialize_message(serialized, message_type)
        seconds.append(time.perf_counter() - begin)
    return 1000 * statistics.median(seconds)


def swaps(bench: Bench) -> dict[str, float]:
    """Return the frames lost to 20 consecutive swaps, and the longest gaps."""
    variant = ('raw', 640, 480)
    bench.robot.train()
    bench.robot.train()
    otherwise = bench.record(variant)
    with bench.phase(variant) as phase:
        time.sleep(2 * WARM_UP_S)
        begin = time.monotonic_ns()
        served = {bench.robot.load_model(-1 if number % 2 == 0 else 0) for number in range(SWAPS)}
        # The frame in which the last swap took place, and the one after it.
        end = time.monotonic_ns() + round(2e9 / CAMERA_RATE)
        time.sleep(WARM_UP_S)
    if len(served) < 2:
        raise RuntimeError(f'only version {served} served: nothing was swapped')
    during = phase.recording.between(begin, end)
    return {
        'swaps': SWAPS,
        'seconds': (end - begin) / 1e9,
        'frames': len(during.published),
        'frames_lost': during.lost(),
        'frames_lost_to_swaps': lost_to_swaps(during, otherwise),
        'longest_gap_periods': during.longest_gap_periods(CAMERA_RATE),
        'longest_gap_periods_otherwise': otherwise.longest_gap_periods(CAMERA_RATE),
    }


def memory(bench: Bench, minutes: float) -> dict[str, float]:
    """Return the growth of the node's resident memory over minutes of images, and its load."""
    resident = []
    with bench.phase(('raw', 640, 480)) as phase:
        time.sleep(5 * WARM_UP_S)
        begin, used = time.monotonic(), bench.robot.cpu_seconds()
        while (lasted := time.monotonic() - begin) < 60 * minutes:
            resident.append(bench.robot.resident_mib())
            time.sleep(_MEMORY_PERIOD_S)
        used = bench.robot.cpu_seconds() - used
    return {
        'minutes': lasted / 60,
        'resident_begin_mib': resident[0],
        'resident_end_mib': resident[-1],
        'growth': growth(resident),
        'cpu_percent': 100 * used / lasted,
        'frames': len(phase.recording.published),
        'frames_lost': phase.recording.lost(),
    }


def _frames(variant: tuple[str, int, int]) -> list[RgbArray]:
    """Return the pictures in a variant's images, decoded."""
    shown = pictures(*variant[1:])
    return [decoded(jpeg(each)) for each in shown] if variant[0] == 'compressed' else shown
