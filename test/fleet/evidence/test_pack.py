# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
"""Packs: what is sealed is decoded again, with or without the bytes of its samples."""

from __future__ import annotations

from edgetpu_retrain.errors import PackError
from edgetpu_retrain.fleet.evidence.claim import Claim
from edgetpu_retrain.fleet.evidence.pack import (
    decode,
    encode,
    MAX_CLAIMS,
    MAX_PACK_BYTES,
    num_fitting,
    Pack,
    Payload,
    peek,
    seal,
)
from hypothesis import given
from hypothesis import strategies as st
import pytest
from support.fleet_packs import by_id, claims_of, EPOCH, key, payload, small_pack, SPACE

SAMPLES = [payload(number, jpeg=number % 2 == 0) for number in range(6)]
LABELS = st.sampled_from(['', 'mug', 'coffee mug', 'Gänseblümchen', '花', '0'])
CLAIMS = st.lists(
    st.builds(
        Claim,
        st.sampled_from(list(by_id(SAMPLES))),
        LABELS,
        st.sampled_from(['', 'front #1', 'Küche 2023-11-14T22:13:20Z #12']),
        st.integers(0, 2**63 - 1),
        st.just(0),
        st.booleans(),
    ),
    min_size=1,
    max_size=20,
)


def numbered(claims: list[Claim], first: int) -> list[Claim]:
    return [
        claim._replace(sequence=place, erased=claim.erased and not claim.label)
        for place, claim in enumerate(claims, first)
    ]


@given(CLAIMS, st.integers(0, 2**53 - 100), st.sets(st.sampled_from(SAMPLES)), st.data())
def test_a_pack_is_decoded_as_it_was_sealed(
    claims: list[Claim], first: int, known: set[Payload], data: st.DataObject
) -> None:
    claims = numbered(claims, first)
    pack = small_pack(claims, by_id(SAMPLES))
    labelled = {claim.sample for claim in claims if claim.label}
    held = {sample: each for sample, each in by_id(SAMPLES).items() if sample in labelled}
    # Whatever was erased since, and whatever thumbnails, the pack stays valid and the same.
    for sample in labelled:
        if held[sample] not in known:
            del held[sample]
        elif data.draw(st.booleans()):
            held[sample] = held[sample]._replace(jpeg=None)
    message = encode(pack, held)
    assert decode(message, SPACE) == (pack, held)
    assert pack.claims == tuple(claims)
    assert peek(message)[:6] == (pack.hash, pack.origin, EPOCH, 0, SPACE.id, pack.previous)
    assert peek(message)[6:] == (first, first + len(claims))
    assert Pack.from_manifest(pack.manifest, pack.signature) == pack


def test_sealing_is_deterministic() -> None:
    claims = claims_of(SAMPLES)
    assert small_pack(claims, by_id(SAMPLES)) == small_pack(claims, by_id(SAMPLES))
    assert encode(small_pack(claims), {}) == encode(small_pack(claims), {})


def test_bytes_of_samples_that_a_pack_does_not_label_are_not_sent() -> None:
    sample = claims_of(SAMPLES)[0]
    tombstone = sample._replace(label='', recording='', erased=True)
    message = encode(small_pack([tombstone], by_id(SAMPLES)), by_id(SAMPLES))
    assert decode(message, SPACE)[1] == {}
    assert SAMPLES[0].embedding not in message


def test_a_tombstone_is_short() -> None:
    claims = [claim._replace(label='', recording='') for claim in claims_of(SAMPLES)]
    size = [len(encode(small_pack(claims[:count]), {})) for count in (1, 2)]
    assert size[1] - size[0] <= 48


def test_a_sample_that_came_back_is_sent_once() -> None:
    (claim,) = claims_of(SAMPLES[:1])
    claims = [claim._replace(label=label) for label in ('', 'mug', 'cup', '', 'mug')]
    pack = small_pack(numbered(claims, 0), by_id(SAMPLES))
    message = encode(pack, by_id(SAMPLES))
    assert message.count(SAMPLES[0].embedding) == 1
    assert decode(message, SPACE) == (pack, by_id(SAMPLES[:1]))


def test_a_thumbnail_must_be_the_one_that_was_signed() -> None:
    pack = small_pack(claims_of(SAMPLES[:1]), by_id(SAMPLES[:1]))
    other = {
        sample: Payload(each.embedding, SAMPLES[2].jpeg)
        for sample, each in by_id(SAMPLES[:1]).items()
    }
    with pytest.raises(PackError, match='not the one whose hash was signed'):
        encode(pack, other)


@pytest.mark.parametrize(
    ('changes', 'words'),
    [
        ({'sample': b'short'}, 'has 5 bytes, not 32'),
        ({'label': 'two\nlines'}, r"The label 'two\nlines' contains"),
        ({'label': 'Unknown'}, 'is reserved'),
        ({'label': 'x' * 101}, 'has 101 characters'),
        ({'label': '\ud800'}, r"The label '\ud800' contains"),
        ({'recording': 'two\nlines'}, 'is no name'),
        ({'recording': 'x' * 256}, 'is no name'),
        ({'clock': -1}, 'the clock of a claim is -1'),
        ({'clock': 2**63}, 'the clock of a claim is 9223372036854775808'),
        ({'sequence': 5}, 'claim 1 of a pack has the sequence number 5'),
        ({'sequence': 2**53}, 'the sequence number of a claim is 9007199254740992'),
        ({'erased': True}, 'erases a sample that it labels'),
    ],
)
def test_an_invalid_claim_is_not_sealed(changes: dict[str, object], words: str) -> None:
    first, second = claims_of(SAMPLES[:2])
    with pytest.raises(PackError) as raised:
        small_pack([first, second._replace(**changes)])  # type: ignore[arg-type]
    assert raised.value.kind == 'bad claim'
    assert words in str(raised.value)


@pytest.mark.parametrize(
    ('epoch', 'number', 'previous', 'words'),
    [
        ('short', 0, bytes(32), 'epoch or space of a pack is not valid'),
        (EPOCH.upper(), 0, bytes(32), 'epoch or space of a pack is not valid'),
        ('g' * 16, 0, bytes(32), 'epoch or space of a pack is not valid'),
        (EPOCH, 1, bytes(31) + b'x' * 2, 'epoch or space of a pack is not valid'),
        (EPOCH, 0, b'x' * 32, 'pack 0 has the wrong predecessor'),
        (EPOCH, 1, bytes(32), 'pack 1 has the wrong predecessor'),
        (EPOCH, -1, b'x' * 32, 'a pack has the number -1'),
        (EPOCH, 2**53, b'x' * 32, 'a pack has the number 9007199254740992'),
    ],
)
def test_an_invalid_place_is_not_sealed(
    epoch: str, number: int, previous: bytes, words: str
) -> None:
    with pytest.raises(PackError, match=words):
        seal(key(1), epoch, number, previous, SPACE, claims_of(SAMPLES[:1]))


def test_a_pack_has_1_to_1000_claims_of_a_member() -> None:
    (claim,) = claims_of(SAMPLES[:1])
    claims = numbered([claim] * (MAX_CLAIMS + 1), 0)
    assert len(small_pack(claims[:-1]).claims) == MAX_CLAIMS
    for wrong in ([], claims):
        with pytest.raises(PackError, match='not 1 to 1000'):
            small_pack(wrong)
    with pytest.raises(PackError, match='the origin, epoch or space of a pack is not valid'):
        small_pack(claims[:1], signer=key(1, 'account'))


def test_what_fits_is_sealed_and_what_does_not_is_refused() -> None:
    jpeg = b'\xff\xd8\xff' + bytes(60_000) + b'\xff\xd9'
    samples = [Payload(payload(number).embedding, jpeg) for number in range(100)]
    claims, held = claims_of(samples), by_id(samples)
    count = num_fitting(claims, held)
    assert 60 < count < 100
    message = encode(small_pack(claims[:count], held), held)
    assert MAX_PACK_BYTES - 2 * len(jpeg) < len(message) <= MAX_PACK_BYTES
    with pytest.raises(PackError, match='over 4194304') as raised:
        encode(small_pack(claims, held), held)
    assert raised.value.kind == 'too large'
    # A hub with less, and one with too little for anything.
    fewer = num_fitting(claims, held, 1_000_000)
    assert len(encode(small_pack(claims[:fewer], held), held)) <= 1_000_000
    assert num_fitting(claims, held, 1000) == 0
    assert num_fitting(claims, held, 100_000_000) == count
    assert num_fitting(claims, {}) == 100
    assert num_fitting(claims * 20, {}) == MAX_CLAIMS


@given(CLAIMS, st.integers(200, 3000))
def test_what_was_found_to_fit_does_fit(claims: list[Claim], most: int) -> None:
    claims, held = numbered(claims, 0), by_id(SAMPLES)
    count = num_fitting(claims, held, most)
    assert not count or len(encode(small_pack(claims[:count], held), held)) <= most
