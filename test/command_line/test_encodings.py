# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
"""Commands with pictures of 16 bits, with transparent ones, and with other encodings."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import cv2
from edgetpu_retrain.extractors import default_extractor_path
from edgetpu_retrain.model_file.description import describe
from edgetpu_retrain.store.samples.sample_store import SampleStore
import numpy as np
import numpy.typing as npt
import pytest
from support.bags import image, photographs, write_bag
from support.command_line_types import Run, TEACH_ALL

TOPIC = '/camera/image_raw'
OTHER = '/camera/other'


def embeddings(data_dir: Path) -> Any:
    identity = describe(default_extractor_path().read_bytes()).identity
    with SampleStore(data_dir / 'samples.db') as store:
        return store.training_set(extractor=identity).embeddings


def image_of(pixels: npt.NDArray[Any], encoding: str) -> Any:
    height, width = pixels.shape[:2]
    message = image(np.zeros((height, width, 3), np.uint8))
    message.encoding, message.step = encoding, pixels[0].nbytes
    message.data = np.frombuffer(pixels.tobytes(), np.uint8)
    return message


@pytest.fixture
def grey() -> npt.NDArray[np.uint8]:
    return photographs('cat', 1)[0][..., 1]


def test_the_bits_of_dark_pictures_are_named_and_set(
    grey: npt.NDArray[np.uint8], run: Run, tmp_path: Path
) -> None:
    values = np.rint(grey * (1023 / 255)).astype(np.uint16)
    bag = write_bag(
        tmp_path / 'bag',
        'mcap',
        {TOPIC: [image_of(values, 'mono16')], OTHER: [image_of(grey, 'mono8')]},
    )
    (tmp_path / 'folder' / 'cat').mkdir(parents=True)
    cv2.imwrite(str(tmp_path / 'folder' / 'cat' / '1.png'), values)
    dark, bright = (('--bits', bits) for bits in (16, 10))
    found = {}
    for name, source, options in (
        ('dark bag', (bag, '--topic', TOPIC, '--label', 'cat'), dark),
        ('bright bag', (bag, '--topic', TOPIC, '--label', 'cat'), bright),
        ('dark folder', (tmp_path / 'folder',), dark),
        ('bright folder', (tmp_path / 'folder',), bright),
        ('8 bits', (bag, '--topic', OTHER, '--label', 'cat'), ()),
    ):
        data = tmp_path / name
        ended = run(*TEACH_ALL, *source, *options, '--data-dir', data)
        assert ended.code == 0, ended.err
        assert ended.err.count('set --bits to 10') == ('dark' in name)
        found[name] = embeddings(data)
    for name in ('bright bag', 'bright folder'):
        np.testing.assert_array_equal(found[name], found['8 bits'])
    np.testing.assert_array_equal(found['dark bag'], found['dark folder'])
    assert (found['dark bag'] != found['8 bits']).any()


def test_classify_and_evaluate_take_the_bits(
    grey: npt.NDArray[np.uint8], run: Run, trained_once: Path, tmp_path: Path
) -> None:
    (tmp_path / 'cat').mkdir()
    cv2.imwrite(str(tmp_path / 'cat' / '1.png'), np.rint(grey * (1023 / 255)).astype(np.uint16))
    for command in ('classify', 'evaluate'):
        dark = run(command, tmp_path, '--data-dir', trained_once)
        bright = run(command, tmp_path, '--bits', 10, '--data-dir', trained_once)
        assert (dark.code, bright.code) == (0, 0)
        assert 'set --bits to 10' in dark.err
        assert 'nearly black' not in bright.err


def test_remarks_are_printed_once(run: Run, tmp_path: Path) -> None:
    pictures = photographs('cat', 3)
    alpha = np.zeros_like(pictures[0][..., :1])
    (tmp_path / 'folder' / 'cat').mkdir(parents=True)
    for number, rgb in enumerate(pictures):
        name = str(tmp_path / 'folder' / 'cat' / f'{number}.png')
        cv2.imwrite(name, np.dstack([rgb[..., ::-1], alpha]))
    ended = run(*TEACH_ALL, tmp_path / 'folder', '--data-dir', tmp_path / 'data')
    assert ended.code == 0
    assert ended.err.count('composited on grey (128)') == 1
    # All colours are hidden.
    assert len(np.unique(embeddings(tmp_path / 'data'), axis=0)) == 1
    bag = write_bag(
        tmp_path / 'bag', 'mcap', {TOPIC: [image_of(rgb[..., ::-1], '8UC3') for rgb in pictures]}
    )
    arguments = (bag, '--topic', TOPIC, '--label', 'cat', '--data-dir', tmp_path / 'other')
    ended = run(*TEACH_ALL, *arguments)
    assert ended.code == 0
    assert ended.err.count("encoding '8UC3' is taken as bgr8") == 1
