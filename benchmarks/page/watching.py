# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
"""Live pictures: from publication to the browser's screen, and what watching costs the node."""

from __future__ import annotations

import base64
from collections.abc import Sequence
import statistics
import time
from typing import Any

from benchmarks.node.figures import Recording
from benchmarks.node.measurements import Bench, WARM_UP_S
from benchmarks.shared.dialogue import Child
from benchmarks.shared.figures import percentile
from benchmarks.shared.pictures import jpeg, pictures
from benchmarks.shared.robot import TOPICS
from support.visitor import Visitor

CAMERA = 'raw'
VARIANT = ('raw', 640, 480)
RATE = 10.0
CLIENTS = 4

# Each drawing changes an attribute of the canvas.  After the next animation frame, and the
# messages that were queued before, the picture has been painted.
_RECORD_DRAWINGS = """
() => {
  window.drawings = [];
  const canvas = document.querySelector('canvas');
  const painted = (then) => requestAnimationFrame(() => {
    const { port1, port2 } = new MessageChannel();
    port1.onmessage = () => then(performance.timeOrigin + performance.now());
    port2.postMessage(null);
  });
  new MutationObserver(() => {
    const stamp = Number(canvas.dataset.stamp);
    painted((now) => window.drawings.push([stamp, now]));
  }).observe(canvas, { attributes: true, attributeFilter: ['data-stamp'] });
}
"""
_DECODE = """
async ({ jpeg, rounds }) => {
  const bytes = Uint8Array.from(atob(jpeg), (each) => each.charCodeAt(0));
  const canvas = document.createElement('canvas');
  const times = [];
  for (let round = 0; round < rounds; round += 1) {
    const begin = performance.now();
    const bitmap = await createImageBitmap(new Blob([bytes], { type: 'image/jpeg' }));
    canvas.getContext('2d').drawImage(bitmap, 0, 0);
    times.push(performance.now() - begin);
  }
  return times;
}
"""


def glass_to_glass(bench: Bench, jpegs: Child, visitor: Visitor) -> dict[str, Any]:
    """
    Return the time from the publication of an image to its picture on the page, with its answer.

    The floor is a subscriber that encodes each image as JPEG, on the same topic and in phases that
    alternate, and the browser's decoding and drawing of a JPEG of that size.

    Args:
        bench: camera, listener and node.
        jpegs: the process of :mod:`benchmarks.page.jpeg_listener`.
        visitor: a visitor of the page, which shows the camera.
    """
    drawn: list[float] = []
    encoded: list[float] = []
    pictures_drawn = published = 0
    visitor.page.evaluate(_RECORD_DRAWINGS)
    for _ in range(bench.rounds):
        recording = _drawings(bench, visitor)
        drawn += recording.latencies_ms()
        published += len(recording.published)
        pictures_drawn += len(recording.published) - recording.lost()
        jpegs.request(what='start', topic=TOPICS['raw'])
        with bench.phase(VARIANT, RATE) as phase:
            time.sleep(WARM_UP_S + bench.seconds)
        arrivals = jpegs.request(what='stop')
        encoded += Recording(phase.recording.published, dict(arrivals)).latencies_ms()
    decoding = _decoding_ms(visitor)
    floor = statistics.median(encoded) + statistics.median(decoding)
    return {
        'drawn_p50_ms': statistics.median(drawn),
        'drawn_p99_ms': percentile(drawn, 99),
        'floor_p50_ms': floor,
        'over_floor_ms': statistics.median(drawn) - floor,
        'pictures_drawn': pictures_drawn,
        'pictures_published': published,
    }


def _drawings(bench: Bench, visitor: Visitor) -> Recording:
    # Stamps are of CLOCK_MONOTONIC, and the browser's clock counts from 1970.
    offset = time.time_ns() - time.monotonic_ns()
    visitor.page.evaluate('window.drawings = []')
    with bench.phase(VARIANT, RATE) as phase:
        # The browser's events are handled meanwhile.
        visitor.page.wait_for_timeout(1000 * (WARM_UP_S + bench.seconds))
    rows = visitor.page.evaluate('window.drawings')
    microseconds = {round(1e6 * stamp): round(1e6 * now) - offset for stamp, now in rows}
    published = phase.recording.published
    seen = {each: microseconds.get(round(each / 1e3)) for each in published}
    return Recording(published, {each: at for each, at in seen.items() if at is not None})


def _decoding_ms(visitor: Visitor, rounds: int = 100) -> Sequence[float]:
    content = base64.b64encode(jpeg(pictures(*VARIANT[1:])[0])).decode()
    times: list[float] = visitor.page.evaluate(_DECODE, {'jpeg': content, 'rounds': rounds})
    return times


def watched(bench: Bench, viewers: Child, address: str) -> dict[str, Any]:
    """
    Return the node's latency with clients that watch and without, in phases that alternate.

    Args:
        bench: camera, listener and node.
        viewers: the process of :mod:`benchmarks.page.viewers`.
        address: address of the page.
    """
    alone: list[float] = []
    beside: list[float] = []
    lost = {'alone': 0, 'watched': 0}
    sent = 0
    count = 0
    for _ in range(bench.rounds):
        recording = bench.record(VARIANT, RATE)
        alone += recording.latencies_ms()
        lost['alone'] += recording.lost()
        with bench.phase(VARIANT, RATE, warm_up_s=2 * WARM_UP_S) as phase:
            fields = {'address': address, 'camera': CAMERA, 'width': VARIANT[1], 'count': CLIENTS}
            viewers.request(what='start', **fields)
            time.sleep(2 * WARM_UP_S + bench.seconds)
            sent += sum(viewers.request(what='stop'))
        beside += phase.recording.latencies_ms()
        lost['watched'] += phase.recording.lost()
        count += len(phase.recording.published)
    return {
        'alone_p50_ms': percentile(alone, 50),
        'alone_p99_ms': percentile(alone, 99),
        'watched_p50_ms': percentile(beside, 50),
        'watched_p99_ms': percentile(beside, 99),
        'p99_ratio': percentile(beside, 99) / percentile(alone, 99),
        'frames': count,
        'frames_lost_alone': lost['alone'],
        'frames_lost_watched': lost['watched'],
        'pictures_sent': sent,
    }
