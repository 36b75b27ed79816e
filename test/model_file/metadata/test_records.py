# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from dataclasses import replace
import random

from edgetpu_retrain.errors import ModelFileError
from edgetpu_retrain.model_file.metadata.records import Metadata, read_metadata, write_metadata
from edgetpu_retrain.model_file.normalization import Normalization
import numpy as np
import pytest
from support.small_models import input_metadata

FULL = Metadata(
    author='Ä. Uthor',
    licence='Apache-2.0',
    labels_file='labels.txt',
    output_files=('labels.txt',),
    other_files=('LICENSE', 'README'),
)
NORMALIZATION = Normalization((1.0, 2.0, 3.0), (4.0, 5.0, 6.0))
# What the generated schema code of tflite-support 0.4.4 writes for a model with author, licence,
# an input with a file, and an output with a score calibration and a label file.
BY_TFLITE_SUPPORT = bytes.fromhex(
    '1c0000004d303031000012001c0018001400000010000c000800040012000000180000003c00000048000000'
    '5400000090010000a4010000010000000c000000000006000800040006000000040000000a00000072656164'
    '6d652e74787400000a0000004170616368652d322e30000008000000536f6d65626f64790000000001000000'
    '100000000c000c0000000000080004000c000000080000009c0000000100000018000000000012000c000800'
    '000000000000000000000400120000000800000064000000020000003c000000100000000c0010000c000000'
    '0b0004000c0000000c000000000000020c00000002000000656e0000090000006e616d65732e747874000000'
    '9affffff00000004040000000f00000063616c6962726174696f6e2e747874000b00000070726f626162696c'
    '6974790001000000180000000000120010000c00000000000800000000000400120000000c00000040000000'
    '54000000010000001000000000000a000c000800000007000a000000000000020400000009000000696e7075'
    '742e74787400000008000a0009000400080000000c0000000002060008000700060000000000000105000000'
    '696d61676500000010000000427920616e6f7468657220746f6f6c2e00000000050000004f74686572000000'
)


@pytest.mark.parametrize('metadata', [FULL, Metadata(), Metadata(licence='MIT')])
@pytest.mark.parametrize(
    'normalization',
    [
        None,
        Normalization((127.5,), (127.5,)),
        Normalization((0.0,), (255.0,)),
        Normalization((123.0, 116.0, 103.0), (58.0, 57.0, 57.5)),
    ],
)
def test_what_is_written_is_read(metadata: Metadata, normalization: Normalization | None) -> None:
    metadata = replace(metadata, normalization=normalization)
    content = write_metadata(metadata, 'A classifier.')
    assert content[4:8] == b'M001'
    assert read_metadata(content) == metadata


def test_metadata_of_other_tools_is_read() -> None:
    assert read_metadata(BY_TFLITE_SUPPORT) == Metadata(
        author='Somebody',
        licence='Apache-2.0',
        labels_file='names.txt',
        output_files=('calibration.txt', 'names.txt'),
        other_files=('readme.txt',),
    )


@pytest.mark.parametrize(
    ('mean', 'std', 'wanted'),
    [
        (127.5, 127.5, Normalization((127.5,), (127.5,))),
        ((1.0, 2.0, 3.0), 4.0, Normalization((1.0, 2.0, 3.0), (4.0,))),
        # Exchanged, as in a file from the field: a standard deviation is never 0.
        (255.0, 0.0, Normalization((0.0,), (255.0,))),
        # Of pixels from 0 to 1: no model is trained on numbers of a thousand.
        ((0.5, 0.4, 0.2), 0.2, Normalization((127.5, 102.0, 51.0), (51.0,))),
    ],
)
def test_the_normalization_of_other_tools_is_read(
    mean: float | tuple[float, ...], std: float, wanted: Normalization
) -> None:
    found = read_metadata(input_metadata(mean, std, (320, 240)))
    assert found.normalization is not None
    np.testing.assert_allclose(found.normalization.mean, wanted.mean, rtol=1e-6)
    np.testing.assert_allclose(found.normalization.std, wanted.std, rtol=1e-6)
    assert ('exchanged' in found.normalization_problem) == (std == 0.0)
    assert ('pixels from 0 to 1' in found.normalization_problem) == (std == 0.2)
    assert found.image_size == (240, 320)


@pytest.mark.parametrize(('mean', 'std'), [(0.0, 0.0), ((1.0, 2.0), 1.0), (float('nan'), 1.0)])
def test_a_normalization_that_is_none_is_a_problem(
    mean: float | tuple[float, ...], std: float
) -> None:
    found = read_metadata(input_metadata(mean, std))
    assert found.normalization is None
    assert found.normalization_problem.startswith(('the mean', 'the standard deviation'))


@pytest.mark.parametrize('content', [b'', b'M001', bytes(100), b'\x10\0\0\0M002' + bytes(50)])
def test_invalid_metadata_is_rejected(content: bytes) -> None:
    with pytest.raises(ModelFileError, match='TFLITE_METADATA'):
        read_metadata(content)


def test_damaged_metadata_raises_model_file_error_or_still_parses() -> None:
    content = write_metadata(replace(FULL, normalization=NORMALIZATION), 'A classifier.')
    rng = random.Random(0)
    refused = 0
    for _ in range(3000):
        damaged = bytearray(content[: rng.choice([len(content), rng.randrange(len(content))])])
        for _ in range(min(len(damaged), rng.choice([1, 3, 9]))):
            damaged[rng.randrange(len(damaged))] = rng.choice([0, 1, 4, 127, 128, 255])
        try:
            read_metadata(bytes(damaged))
        except ModelFileError:
            refused += 1
    assert 500 < refused < 3000
