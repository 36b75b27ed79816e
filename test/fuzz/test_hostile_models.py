# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
"""Models with well-formed but contradictory parts, and damaged models."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
import struct
from typing import Any

from edgetpu_retrain.model_file.flatbuffer import parse
from fuzz.small_files import classifiers, extractors
from fuzz.target import check_memory
from fuzz.target_list import load_target
from hypothesis import given, HealthCheck, reject, settings
from hypothesis import strategies as st
import numpy as np
from support.small_models import pack

NUMBERS = st.sampled_from((-(2**31), -5, -1, 0, 1, 2, 3, 4, 8, 255, 20_001, 2**31 - 1))
# Unsigned fields, in which a packer rejects negative numbers.
COUNTS = NUMBERS.filter(lambda number: number >= 0)
SCALES = st.sampled_from((0.0, -1.0, 1e-30, 0.5, 1e30, float('inf'), float('nan')))
MODELS = (*extractors(), *classifiers())
TARGETS = ('model_file_reading', 'model_file_writing')
Edit = Callable[[Any], None]


def _replaced(values: Any, place: int, value: int) -> list[int]:
    """Return a vector with one number replaced, or with one that it did not have."""
    numbers = [] if values is None else [int(each) for each in values]
    after = place + 1
    return [*numbers[:place], value, *numbers[after:]]


def _of_tensor(which: int, change: Callable[[Any], None]) -> Edit:
    return lambda tree: change(
        tree.subgraphs[0].tensors[which % len(tree.subgraphs[0].tensors)],
    )


def _of_operator(which: int, change: Callable[[Any], None]) -> Edit:
    return lambda tree: change(
        tree.subgraphs[0].operators[which % len(tree.subgraphs[0].operators)],
    )


def _vector(name: str, place: int, value: int) -> Callable[[Any], None]:
    def change(part: Any) -> None:
        setattr(part, name, _replaced(getattr(part, name), place, value))

    return change


def _field(name: str, value: Any) -> Callable[[Any], None]:
    return lambda part: setattr(part, name, value)


def _quantized(scales: Sequence[float], points: Sequence[int]) -> Callable[[Any], None]:
    def change(tensor: Any) -> None:
        if tensor.quantization is not None:
            tensor.quantization.scale = np.array(scales, np.float32)
            tensor.quantization.zeroPoint = np.array(points, np.int64)

    return change


def _length(which: int, size: int) -> Edit:
    """Cut the content of a buffer, or make it longer."""

    def change(tree: Any) -> None:
        buffer = tree.buffers[which % len(tree.buffers)]
        content = b'' if buffer.data is None else bytes(buffer.data)
        buffer.data = np.frombuffer((content + bytes(size))[:size], np.uint8)

    return change


def _metadata(which: int, number: int) -> Edit:
    def change(tree: Any) -> None:
        if tree.metadata:
            tree.metadata[which % len(tree.metadata)].buffer = number

    return change


SMALL = st.integers(0, 9)
EDITS = st.one_of(
    st.builds(_of_tensor, SMALL, st.builds(_vector, st.just('shape'), SMALL, NUMBERS)),
    st.builds(_of_tensor, SMALL, st.builds(_field, st.just('type'), st.integers(0, 30))),
    st.builds(_of_tensor, SMALL, st.builds(_field, st.just('buffer'), COUNTS)),
    st.builds(_of_tensor, SMALL, st.builds(_field, st.just('shape'), st.none())),
    st.builds(_of_tensor, SMALL, st.builds(_field, st.just('name'), st.just('a\n\x1b[31m'))),
    st.builds(
        _of_tensor,
        SMALL,
        st.builds(_quantized, st.lists(SCALES, max_size=3), st.lists(NUMBERS, max_size=3)),
    ),
    st.builds(_of_operator, SMALL, st.builds(_vector, st.just('inputs'), SMALL, NUMBERS)),
    st.builds(_of_operator, SMALL, st.builds(_vector, st.just('outputs'), SMALL, NUMBERS)),
    st.builds(_of_operator, SMALL, st.builds(_field, st.just('inputs'), st.none())),
    st.builds(_of_operator, SMALL, st.builds(_field, st.just('opcodeIndex'), COUNTS)),
    st.builds(_length, SMALL, st.integers(0, 100)),
    st.builds(_metadata, SMALL, COUNTS),
)


def _try(model: bytes, folder: Path) -> None:
    for name in TARGETS:
        check_memory(load_target(name), model, folder)


@given(st.sampled_from(MODELS), st.lists(EDITS, min_size=1, max_size=4))
@settings(
    max_examples=30,
    deadline=None,
    suppress_health_check=[
        HealthCheck.function_scoped_fixture,
        HealthCheck.filter_too_much,
        HealthCheck.too_slow,
    ],
)
def test_contradictory_parts(tmp_path: Path, model: bytes, edits: list[Edit]) -> None:
    tree = parse(model)
    for edit in edits:
        edit(tree)
    try:
        changed = pack(tree)
    except Exception:  # noqa: BLE001 - no file can hold such a number, and the packer says so
        reject()
    _try(changed, tmp_path)


@given(
    st.sampled_from(MODELS),
    st.lists(st.tuples(st.integers(0, 1000), NUMBERS), min_size=1, max_size=6),
)
@settings(
    max_examples=50,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
def test_offsets_and_lengths_that_point_anywhere(
    tmp_path: Path, model: bytes, words: list[tuple[int, int]]
) -> None:
    changed = bytearray(model)
    for place, number in words:
        struct.pack_into('<i', changed, place * 4 % (len(model) - 4), number)
    _try(bytes(changed), tmp_path)


@given(st.sampled_from(MODELS), st.integers(0, 5000))
@settings(
    max_examples=30,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
def test_truncated_models(tmp_path: Path, model: bytes, size: int) -> None:
    _try(model[: size % len(model)], tmp_path)
