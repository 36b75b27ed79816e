# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import dataclasses

from edgetpu_retrain.errors import ModelFileError
from edgetpu_retrain.learning.head import Head
from edgetpu_retrain.learning.unknown import UnknownDetector
from edgetpu_retrain.model_file.flatbuffer import pack, parse
from edgetpu_retrain.model_file.head.append_head import append_head
from edgetpu_retrain.model_file.metadata.self_description import set_content
from edgetpu_retrain.model_file.metadata.unknown_entry import (
    ENTRY_NAME,
    read_unknown,
    write_unknown,
)
import numpy as np
import pytest
from support.small_models import build_extractor

DIMENSION = 16
RNG = np.random.default_rng(0)
DETECTOR = UnknownDetector(
    RNG.normal(size=DIMENSION).astype(np.float32),
    RNG.uniform(0.5, 2.0, DIMENSION).astype(np.float32),
    -1.25,
    np.linalg.qr(RNG.normal(size=(DIMENSION, 3)))[0].astype(np.float32),
    0.75,
)
HEAD = Head(
    RNG.normal(size=(DIMENSION, 3)).astype(np.float32),
    np.zeros(3, np.float32),
    ('cat', 'dog', 'mug'),
    (-4.0, 4.0),
    unknown=DETECTOR,
)


@pytest.mark.parametrize('dtype', ['uint8', 'int8', 'float32'])
def test_a_model_carries_the_detector_of_its_head(dtype: str) -> None:
    model = append_head(build_extractor(dtype, dimension=DIMENSION), HEAD)
    read = read_unknown(model, DIMENSION)
    assert read is not None
    np.testing.assert_array_equal(read.center, DETECTOR.center)
    np.testing.assert_array_equal(read.gain, DETECTOR.gain)
    assert read.threshold == DETECTOR.threshold
    np.testing.assert_array_equal(read.directions, DETECTOR.directions)
    assert read.full_share == 0.75
    embeddings = RNG.normal(size=(5, DIMENSION)).astype(np.float32)
    np.testing.assert_array_equal(read.lengths(embeddings), DETECTOR.lengths(embeddings))


def test_a_model_of_an_earlier_release_is_read_without_directions() -> None:
    numbers = np.concatenate([[1.0, -1.25], DETECTOR.center, DETECTOR.gain]).astype('<f4')
    tree = parse(append_head(build_extractor('uint8', dimension=DIMENSION), HEAD))
    set_content(tree, ENTRY_NAME, numbers.tobytes())
    read = read_unknown(pack(tree), DIMENSION)
    assert read is not None
    np.testing.assert_array_equal(read.center, DETECTOR.center)
    np.testing.assert_array_equal(read.gain, DETECTOR.gain)
    assert (read.threshold, read.directions.size) == (-1.25, 0)


def test_a_detector_without_directions_is_preserved() -> None:
    plain = UnknownDetector(DETECTOR.center, DETECTOR.gain, -1.25)
    head = dataclasses.replace(HEAD, unknown=plain)
    model = append_head(build_extractor('uint8', dimension=DIMENSION), head)
    read = read_unknown(model, DIMENSION)
    assert read is not None
    assert (read.threshold, read.directions.size) == (-1.25, 0)


def test_an_infinite_threshold_is_preserved() -> None:
    head = dataclasses.replace(HEAD, unknown=dataclasses.replace(DETECTOR, threshold=float('inf')))
    read = read_unknown(
        append_head(build_extractor('uint8', dimension=DIMENSION), head), DIMENSION
    )
    assert read is not None
    assert read.threshold == float('inf')


def test_without_a_detector_there_is_no_entry() -> None:
    head = dataclasses.replace(HEAD, unknown=None)
    model = append_head(build_extractor('uint8', dimension=DIMENSION), head)
    assert read_unknown(model, DIMENSION) is None
    assert ENTRY_NAME.encode() not in model


def test_a_new_head_removes_the_old_detector() -> None:
    tree = parse(append_head(build_extractor('uint8', dimension=DIMENSION), HEAD))
    write_unknown(tree, None)
    assert read_unknown(pack(tree), DIMENSION) is None


def numbers(*before: float) -> bytes:
    return bytes(np.concatenate([before, np.ones(2 * DIMENSION)]).astype('<f4').tobytes())


@pytest.mark.parametrize(
    ('content', 'words'),
    [
        (b'', 'of format nan'),
        (b'\0' * 7, 'of format 0'),
        (np.full(2 + 2 * DIMENSION, np.nan, '<f4').tobytes(), 'of format nan'),
        (np.ones(3, '<f4').tobytes(), 'has 12 bytes'),
        (numbers(2.0, -1.0, 3.0, 0.5), 'has 144 bytes'),
        (numbers(2.0, np.nan, 0.0, 0.5), 'holds NaN'),
        (numbers(2.0, -1.0, 0.0, np.inf), 'holds NaN'),
        (numbers(2.0, -1.0, np.nan, 0.5), 'holds NaN'),
    ],
)
def test_a_damaged_detector_is_rejected(content: bytes, words: str) -> None:
    tree = parse(append_head(build_extractor('uint8', dimension=DIMENSION), HEAD))
    set_content(tree, ENTRY_NAME, content)
    with pytest.raises(ModelFileError, match=words):
        read_unknown(pack(tree), DIMENSION)
