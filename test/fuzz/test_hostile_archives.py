# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
"""Zips of samples with any names, numbers, shapes and sizes."""

from __future__ import annotations

import io
import json
from pathlib import Path
import pickle
from typing import Any
import zipfile

from fuzz.small_files import IDENTITY, picture
from fuzz.target import check, check_memory
from fuzz.target_list import load_target
from hypothesis import given, HealthCheck, settings
from hypothesis import strategies as st
import numpy as np
from support.normal_floats import floats

TARGET = load_target('sample_archive')
WHOLE = st.one_of(st.sampled_from((-1, 0, 1, 2, 3, 4, 10**6, 10**9, 2**63, 10**30)), st.none())
ESCAPED = '/tmp/edgetpu_retrain_escaped'  # noqa: S108 - nothing may ever be there
NAMES = st.sampled_from(
    (
        f'embeddings/{IDENTITY}.npy',
        f'../../../..{ESCAPED}',
        ESCAPED,
        'images/00000001.jpg',
        'images/../../x.jpg',
        'samples.jsonl',
        'a\nb',
        'C:\\x',
    )
)
JSON = st.recursive(
    st.one_of(WHOLE, floats(), st.booleans(), st.text(max_size=5), NAMES),
    lambda inner: st.one_of(
        st.lists(inner, max_size=3), st.dictionaries(st.text(max_size=3), inner, max_size=3)
    ),
    max_leaves=5,
)


def _changed(values: dict[str, Any]) -> st.SearchStrategy[dict[str, Any]]:
    """Return an object that is as it should be, or has one or two other values."""
    changes = st.dictionaries(st.sampled_from(sorted(values)), JSON, max_size=2)
    return st.one_of(st.just(values), changes.map(lambda others: values | others))


EXTRACTOR = {
    'identity': IDENTITY,
    'dimension': 4,
    'dtype': 'uint8',
    'scale': 0.5,
    'zero_point': 3,
}
SAMPLE = {
    'label': 'daisy',
    'camera': 'front',
    'stamp_ns': 5,
    'added_ns': 7,
    'recording': 'kitchen',
    'image': 'images/00000001.jpg',
    'extractors': [IDENTITY],
}


@st.composite
def _headers(draw: st.DrawFn) -> bytes:
    """Return a .npy header: the right one, or of another type, order, shape or release."""
    described = {
        'descr': draw(st.sampled_from(('|u1', '|u1', '|O', '<f8', '|S1000000', [('a', '|O')]))),
        'fortran_order': draw(st.sampled_from((False, False, True))),
        'shape': draw(
            st.sampled_from(((1, 4), (1, 4), (10**9, 4), (4,), (1, 10**18), (-1, 4), ()))
        ),
    }
    text = f'{described!r}\n'.encode()
    if draw(st.integers(0, 9)) == 0:
        text = draw(st.sampled_from((b'{' * 1000, b'__import__("os")\n', b'\xff\n', b'')))
    version = draw(st.sampled_from((b'\1\0', b'\1\0', b'\2\0', b'\x09\x09')))
    return b'\x93NUMPY' + version + len(text).to_bytes(2, 'little') + text


@st.composite
def _archives(draw: st.DrawFn) -> bytes:
    index = draw(_changed({'format': 1, 'samples': 1, 'extractors': [draw(_changed(EXTRACTOR))]}))
    line = draw(_changed(SAMPLE))
    body = draw(st.sampled_from((bytes(4), bytes(4), b'', bytes(5), bytes(100_000))))
    if draw(st.integers(0, 9)) == 0:
        body = pickle.dumps(np.array([None]))
    image = draw(st.sampled_from((picture('.jpg'), b'\xff\xd8\xff', b'', bytes(2_000_000))))
    members = {
        'samples.json': json.dumps(index).encode(),
        'samples.jsonl': json.dumps(line).encode() + draw(st.sampled_from((b'\n', b'\n\n', b''))),
        f'embeddings/{IDENTITY}.npy': draw(_headers()) + body,
        'images/00000001.jpg': image,
    }
    for name in draw(st.lists(NAMES, max_size=2)):
        members.setdefault(name, b'x')
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, 'w', draw(st.sampled_from((0, 8)))) as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    return packed.getvalue()


@given(_archives())
@settings(
    max_examples=80,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
def test_parts_with_any_content(tmp_path: Path, data: bytes) -> None:
    check_memory(TARGET, data, tmp_path)
    assert not Path(ESCAPED).exists()


def test_a_zip_bomb_is_rejected_before_it_is_unpacked(tmp_path: Path) -> None:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, 'w', zipfile.ZIP_DEFLATED) as archive:
        index = {'format': 1, 'samples': 1, 'extractors': []}
        archive.writestr('samples.json', json.dumps(index))
        archive.writestr('samples.jsonl', bytes(100_000_000))
    assert 'would unpack to 100000' in check(TARGET, packed.getvalue(), tmp_path)
