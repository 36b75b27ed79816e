# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
"""A released head as a message."""

from __future__ import annotations

from dataclasses import replace

from edgetpu_retrain.errors import FleetError
from edgetpu_retrain.fleet.evidence.embedding_space import EmbeddingSpace
from edgetpu_retrain.fleet.releases.release import (
    decode,
    encode,
    encode_promotion,
    is_from_publisher,
    Promotion,
    Release,
)
from edgetpu_retrain.fleet.station.roster_changes import remove_member
import numpy as np
import pytest
from support.fleet_members import NOW_MS, robot_key, SPACE
from support.fleet_releases import FRONTIER, HEAD, KEY, RELEASE, ROSTER


def test_what_was_released_is_what_arrives() -> None:
    found = decode(encode(RELEASE, KEY), ROSTER, SPACE)
    assert isinstance(found, Release)
    assert (found.publisher, found.issued_ms, found.share) == (KEY.public, NOW_MS, 0.1)
    assert (found.frontier, found.sample_counts) == (FRONTIER, RELEASE.sample_counts)
    assert found.accuracy == 0.9
    assert (found.head.labels, found.head.logit_range) == (HEAD.labels, HEAD.logit_range)
    np.testing.assert_array_equal(found.head.weights, HEAD.weights)
    assert found.head.unknown is not None
    assert HEAD.unknown is not None
    np.testing.assert_array_equal(found.head.unknown.directions, HEAD.unknown.directions)
    assert encode(found, KEY) == encode(RELEASE, KEY)
    assert len(found.id) == 64


def test_a_promotion_arrives() -> None:
    promotion = Promotion(KEY.public, NOW_MS, 'b' * 64, 1.0)
    assert decode(encode_promotion(promotion, KEY), ROSTER, SPACE) == promotion


def test_every_changed_byte_is_noticed() -> None:
    message = encode(RELEASE, KEY)
    for place in range(0, len(message), 7):
        changed = bytearray(message)
        changed[place] ^= 1
        with pytest.raises(FleetError):
            decode(bytes(changed), ROSTER, SPACE)
    for length in (0, 10, 100, len(message) - 1):
        with pytest.raises(FleetError):
            decode(message[:length], ROSTER, SPACE)


def test_only_who_may_release_is_believed() -> None:
    with pytest.raises(FleetError, match='nobody who may release'):
        decode(encode(RELEASE, robot_key(2)), ROSTER, SPACE)
    with pytest.raises(FleetError, match='nobody who may release'):
        decode(encode(RELEASE, robot_key(3)), ROSTER, SPACE)


def test_a_key_that_was_revoked_releases_nothing_more() -> None:
    message = encode(RELEASE, KEY)
    assert is_from_publisher(message, ROSTER)
    revoked = remove_member(ROSTER, KEY.public, {})
    assert not is_from_publisher(message, revoked)
    with pytest.raises(FleetError, match='nobody who may release'):
        decode(message, revoked, SPACE)


def test_a_release_for_another_extractor_is_rejected() -> None:
    other = EmbeddingSpace('b' * 64, SPACE.kind, '')
    with pytest.raises(FleetError, match='another extractor'):
        decode(encode(RELEASE, KEY), ROSTER, other)


@pytest.mark.parametrize(
    'release',
    [
        replace(RELEASE, head=replace(HEAD, weights=HEAD.weights * np.float32(np.nan))),
        replace(RELEASE, head=replace(HEAD, weights=HEAD.weights[:4])),
        replace(RELEASE, share=1.5),
        replace(RELEASE, issued_ms=-1),
        replace(RELEASE, accuracy=2.0),
        replace(RELEASE, frontier={'key': {'epoch': [4, '5' * 64]}}),
        replace(RELEASE, frontier={'key': {'0123456789abcdef': [4]}}),
        replace(RELEASE, head=replace(HEAD, logit_range=())),  # type: ignore[arg-type]
        replace(RELEASE, head=replace(HEAD, labels=('a/b', 'hose', 'mug')),
                sample_counts={'a/b': 1, 'hose': 1, 'mug': 1}),
        replace(RELEASE, head=replace(HEAD, labels=('mug', 'hose', 'mug'))),
    ],
    ids=['NaN', 'dimension', 'share', 'time', 'accuracy', 'epoch', 'last', 'logits', 'label',
         'label twice'],
)  # fmt: skip
def test_what_makes_no_sense_is_rejected_even_if_it_is_signed(release: Release) -> None:
    with pytest.raises(FleetError):
        decode(encode(release, KEY), ROSTER, SPACE)
