# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
"""What a person waits for: a first model of two classes, and a grid of 2,000 thumbnails."""

from __future__ import annotations

from pathlib import Path
import re
import time
from typing import Any

from benchmarks.shared.pictures import jpeg, views
from edgetpu_retrain.demo.photographs import SUBJECTS
from edgetpu_retrain.extractors import default_extractor_path
from edgetpu_retrain.model_file.description import describe
from edgetpu_retrain.model_file.reading import read_model
from edgetpu_retrain.store.files.data_folder import SAMPLES_FILE
from edgetpu_retrain.store.samples.sample import Sample
from edgetpu_retrain.store.samples.sample_store import SampleStore
import numpy as np
from support.page_robot import PageRobot
from support.visitor import Visitor

CLASSES = ('cat', 'coffee')
SAMPLES = 8
THUMBNAILS = 2000
_THUMBNAIL_SIZE = (128, 96)
_PATIENCE_MS = 60_000

_VISIBLE_LOADED = """
() => {
  const tiles = [...document.querySelectorAll('[role=option]')];
  const shown = tiles.filter((tile) => {
    const { top, bottom } = tile.getBoundingClientRect();
    return bottom > 0 && top < innerHeight;
  });
  return shown.length > 8 && shown.every((tile) => tile.querySelector('img')?.complete);
}
"""


def first_answer(robot: PageRobot, visitor: Visitor) -> dict[str, Any]:
    """
    Return how long it takes to open the page, teach two classes and see a live answer.

    Args:
        robot: a robot without samples.
        visitor: a visitor of its page.
    """
    begin = time.monotonic()
    visitor.visit()
    for label in CLASSES:
        visitor.name_class(label)
        robot.show(label)
        visitor.capture(label, SAMPLES)
    taught = time.monotonic()
    visitor.press(visitor.button('Train'))
    visitor.headline().filter(has_text=re.compile(CLASSES[-1])).wait_for()
    ended = time.monotonic()
    return {'taught_s': taught - begin, 'answer_s': ended - begin}


def store_thumbnails(data_dir: Path) -> None:
    """Fill a data folder with samples with thumbnails; their embeddings are random."""
    about = describe(read_model(default_extractor_path()))
    rng = np.random.default_rng(0)
    data_dir.mkdir(parents=True)
    thumbnails = {
        subject: [jpeg(each) for each in views(subject, 25, *_THUMBNAIL_SIZE)]
        for subject in SUBJECTS
    }
    samples = []
    for number in range(THUMBNAILS):
        subject = SUBJECTS[number % len(SUBJECTS)]
        row = rng.integers(0, 255, about.dimension).astype(about.output_dtype)
        image = thumbnails[subject][number % 25]
        samples.append(Sample(subject, {about.identity: row}, image=image))
    with SampleStore(data_dir / SAMPLES_FILE) as store:
        store.add(samples, {about.identity: about.quantization})


def grid(visitor: Visitor) -> dict[str, Any]:
    """
    Return how long the first screen of a grid takes, and what scrolling through it requests.

    Args:
        visitor: a visitor of a robot with the samples of :func:`store_thumbnails`.
    """
    visitor.visit()
    visitor.headline()
    visitor.wait_until_loaded()
    visitor.requested.clear()
    begin = time.monotonic()
    visitor.go('Samples')
    visitor.page.wait_for_function(_VISIBLE_LOADED, polling='raf', timeout=_PATIENCE_MS)
    first_screen_s = time.monotonic() - begin
    first = _pictures(visitor)
    visitor.requested.clear()
    scroller = visitor.page.locator('.scroll')
    scroller.evaluate('(it) => { it.scrollTop = it.scrollHeight; }')
    visitor.page.wait_for_function(_VISIBLE_LOADED, polling='raf', timeout=_PATIENCE_MS)
    return {
        'first_screen_s': first_screen_s,
        'first_screen_pictures': first,
        'pictures_after_a_jump_to_the_end': _pictures(visitor),
    }


def _pictures(visitor: Visitor) -> int:
    return sum('/api/pictures/' in url for url in visitor.requested)
