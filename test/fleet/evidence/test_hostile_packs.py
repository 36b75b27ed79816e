# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
"""Packs of a member that does not follow the rules, and of a hub that changes them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
import struct
import tracemalloc

from edgetpu_retrain.errors import PackError
from edgetpu_retrain.fleet.evidence.claim import Claim
from edgetpu_retrain.fleet.evidence.embedding_space import EmbeddingSpace
from edgetpu_retrain.fleet.evidence.pack import (
    decode,
    encode,
    MAX_PACK_BYTES,
    MAX_PICTURE_BYTES,
    NO_PACK,
    Pack,
    Payload,
    peek,
    read_header,
    seal,
)
from hypothesis import given
from hypothesis import strategies as st
import numpy as np
import pytest
from support.fleet_packs import (
    by_id,
    claims_of,
    EPOCH,
    FLOAT_SPACE,
    key,
    payload,
    small_pack,
    SPACE,
)

SAMPLES = [payload(number, jpeg=number < 2) for number in range(4)]
CLAIMS = claims_of(SAMPLES)
PACK = small_pack(CLAIMS, by_id(SAMPLES))
MESSAGE = encode(PACK, by_id(SAMPLES))
SIGNED = len(PACK.manifest)
PAYLOAD_AT = SIGNED + 64
# Places in the head, see manifest.py.
NUMBER_AT, PREVIOUS_AT, SPACE_AT, SEQUENCE_AT, COUNTS_AT = 48, 56, 88, 120, 128
TEXT_AT = 140
LABELS = b'\nmug'
CLAIMS_AT = TEXT_AT + len(LABELS) + len(b'front #1')
CLAIM_BYTES = 32 + 8 + 2 + 2 + 1


def kind_of(message: bytes, space: EmbeddingSpace = SPACE) -> str:
    with pytest.raises(PackError) as raised:
        decode(message, space)
    assert str(raised.value).isprintable()
    return raised.value.kind


def signed(manifest: bytes, rest: bytes = MESSAGE[PAYLOAD_AT:]) -> bytes:
    """Return a message that the member itself would sign."""
    return manifest + key(1).sign(manifest) + rest


def put(at: int, data: bytes) -> bytes:
    """Return the manifest with some other bytes."""
    end = at + len(data)
    return PACK.manifest[:at] + data + PACK.manifest[end:]


def test_the_places_are_right() -> None:
    assert decode(signed(PACK.manifest), SPACE) == (PACK, by_id(SAMPLES))
    assert PACK.manifest[TEXT_AT:CLAIMS_AT] == LABELS + b'front #1'
    assert SIGNED == CLAIMS_AT + 4 * CLAIM_BYTES + 2 * 32


@pytest.mark.parametrize('length', [0, 1, 8, TEXT_AT - 1, TEXT_AT, SIGNED - 1])
def test_what_ends_within_its_manifest_is_no_pack(length: int) -> None:
    assert kind_of(MESSAGE[:length]) == 'not a pack'
    with pytest.raises(PackError, match=r'not a pack|ends after'):
        peek(MESSAGE[:length])


def test_what_ends_later_is_rejected() -> None:
    assert kind_of(MESSAGE[: SIGNED + 63]) == 'bad signature'
    for length in range(PAYLOAD_AT, len(MESSAGE)):
        assert kind_of(MESSAGE[:length]) == 'bad payload'
    assert kind_of(MESSAGE + b'\0') == 'bad payload'


def test_another_message_is_no_pack() -> None:
    for message in (b'', b'{}', b'EDGEPCK2' + MESSAGE[8:], bytes(1000)):
        assert kind_of(message) == 'not a pack'


def test_a_message_that_is_too_large_is_not_read() -> None:
    huge = MESSAGE + bytes(MAX_PACK_BYTES)
    tracemalloc.start()
    assert kind_of(huge) == 'too large'
    with pytest.raises(PackError, match='over 4194304'):
        peek(huge)
    assert tracemalloc.get_traced_memory()[1] < 1_000_000
    tracemalloc.stop()


def test_a_pack_of_another_space_is_not_read() -> None:
    other = replace(SPACE, extractor='other')
    # Neither its signature nor its payload matters.
    assert kind_of(PACK.manifest, other) == 'other space'


@given(st.integers(0, SIGNED + 63), st.integers(0, 7))
def test_no_bit_can_be_changed_without_the_key(place: int, bit: int) -> None:
    changed = bytearray(MESSAGE)
    changed[place] ^= 1 << bit
    assert kind_of(bytes(changed)) in {
        'not a pack',
        'too large',
        'other space',
        'bad signature',
    }


@given(st.integers(PAYLOAD_AT, len(MESSAGE) - 1), st.integers(0, 7))
def test_no_bit_of_a_payload_can_be_changed(place: int, bit: int) -> None:
    changed = bytearray(MESSAGE)
    changed[place] ^= 1 << bit
    assert kind_of(bytes(changed)) == 'bad payload'


def test_a_pack_cannot_be_taken_over_by_another_key() -> None:
    stranger = put(8, small_pack(CLAIMS, signer=key(2)).manifest[8:40])
    assert kind_of(signed(stranger)) == 'bad signature'
    assert kind_of(stranger + PACK.signature + MESSAGE[PAYLOAD_AT:]) == 'bad signature'


@pytest.mark.parametrize(
    ('manifest', 'kind'),
    [
        (put(NUMBER_AT, b'\xff' * 8), 'bad claim'),
        (put(NUMBER_AT, struct.pack('>Q', 1)), 'bad claim'),
        (put(PREVIOUS_AT, b'x' * 32), 'bad claim'),
        (put(SEQUENCE_AT, b'\xff' * 8), 'bad claim'),
        (put(SEQUENCE_AT, struct.pack('>Q', 2**53 - 2)), 'bad claim'),
        # Counts of claims, pictures, bytes of labels and of recordings.
        (put(COUNTS_AT, struct.pack('>H', 1001)), 'too large'),
        (put(COUNTS_AT, b'\xff' * 2), 'too large'),
        (put(COUNTS_AT, b'\0' * 4), 'bad signature'),
        (put(COUNTS_AT + 2, struct.pack('>H', 5)), 'too large'),
        (put(COUNTS_AT + 4, b'\xff' * 4), 'too large'),
        (put(COUNTS_AT + 8, b'\xff' * 4), 'too large'),
        # Labels and recordings.
        (put(TEXT_AT, b'\nm/g'), 'bad claim'),
        (put(TEXT_AT, b'\nm\0g'), 'bad claim'),
        (put(TEXT_AT, b'\nm\xff\xffg'[:4]), 'bad claim'),
        (put(TEXT_AT, b'mug\n'), 'bad claim'),
        (put(TEXT_AT, b'\nm\ng'), 'bad claim'),
        (put(TEXT_AT + 4, b'front\x1b#1'), 'bad claim'),
        (put(TEXT_AT + 4, b'front\n#1'), 'bad claim'),
        # A clock, the numbers of a label and a recording, flags.
        (put(CLAIMS_AT + 32, b'\x80' + bytes(7)), 'bad claim'),
        (put(CLAIMS_AT + 40, struct.pack('>H', 2)), 'bad claim'),
        (put(CLAIMS_AT + 40, b'\xff\xff'), 'bad claim'),
        (put(CLAIMS_AT + 42, b'\xff\xff'), 'bad claim'),
        (put(CLAIMS_AT + 44, b'\x03'), 'bad claim'),
        (put(CLAIMS_AT + 44, b'\x04'), 'bad claim'),
        (put(CLAIMS_AT + 44, b'\0'), 'bad claim'),
        (put(CLAIMS_AT + 2 * CLAIM_BYTES + 44, b'\x02'), 'bad claim'),
        # The second claim of a sample has the flag of its picture.
        (put(CLAIMS_AT + CLAIM_BYTES, CLAIMS[0].sample), 'bad claim'),
    ],
)
def test_what_a_member_signs_must_be_valid(manifest: bytes, kind: str) -> None:
    assert kind_of(signed(manifest)) == kind


@given(st.data())
def test_a_manifest_has_one_form(data: st.DataObject) -> None:
    changed = bytearray(PACK.manifest)
    for _ in range(data.draw(st.integers(1, 4))):
        changed[data.draw(st.integers(40, SIGNED - 1))] = data.draw(st.integers(0, 255))
    manifest = bytes(changed)
    try:
        pack = decode(signed(manifest), SPACE)[0]
    except PackError:
        return
    # Accepted: then it is what sealing the same claims gives.
    assert pack == Pack.from_manifest(manifest, key(1).sign(manifest))
    again = seal(key(1), pack.epoch, pack.number, pack.previous, SPACE, pack.claims)
    assert again.claims == pack.claims


@given(st.binary(max_size=400))
def test_any_bytes_are_rejected(data: bytes) -> None:
    kind_of(data)
    assert kind_of(signed(PACK.manifest[:TEXT_AT] + data, b'')) in {'not a pack', 'bad signature'}


def rebuilt(change: Callable[[list[int], list[bytes], list[bytes]], None]) -> bytes:
    """Return the message with other lengths, embeddings and thumbnails."""
    lengths = [len(each.jpeg or b'') for each in SAMPLES]
    embeddings = [each.embedding for each in SAMPLES]
    pictures = [each.jpeg for each in SAMPLES if each.jpeg is not None]
    change(lengths, embeddings, pictures)
    table = struct.pack(f'>{len(lengths)}I', *lengths)
    return MESSAGE[:PAYLOAD_AT] + b''.join([table, *embeddings, *pictures])


def swap_embeddings(_lengths: list[int], embeddings: list[bytes], _pictures: list[bytes]) -> None:
    embeddings[:2] = embeddings[1::-1]


def swap_pictures(_lengths: list[int], _embeddings: list[bytes], pictures: list[bytes]) -> None:
    pictures.reverse()


def add_a_picture(lengths: list[int], _embeddings: list[bytes], pictures: list[bytes]) -> None:
    pictures.append(pictures[1])
    lengths[2] = len(pictures[1])


def promise_gigabytes(
    lengths: list[int], _embeddings: list[bytes], _pictures: list[bytes]
) -> None:
    lengths[3] = 2**32 - 2


def add_bytes(_lengths: list[int], embeddings: list[bytes], _pictures: list[bytes]) -> None:
    embeddings[3] += b'\0'


@pytest.mark.parametrize(
    'change', [swap_embeddings, swap_pictures, add_a_picture, promise_gigabytes, add_bytes]
)
def test_only_the_bytes_of_a_sample_are_accepted(
    change: Callable[[list[int], list[bytes], list[bytes]], None],
) -> None:
    assert rebuilt(lambda *_: None) == MESSAGE
    assert kind_of(rebuilt(change)) == 'bad payload'


@pytest.mark.parametrize(
    'jpeg', [b'no picture', b'\xff\xd8\xff' + bytes(MAX_PICTURE_BYTES) + b'\xff\xd9']
)
def test_a_thumbnail_is_a_small_jpeg_file(jpeg: bytes) -> None:
    held = by_id([Payload(SAMPLES[0].embedding, jpeg)])
    pack = small_pack(CLAIMS[:1], held)
    with pytest.raises(PackError, match='thumbnail'):
        encode(pack, held)
    table = struct.pack('>I', len(jpeg))
    message = pack.manifest + pack.signature + table + SAMPLES[0].embedding + jpeg
    assert kind_of(message) == 'bad payload'


@pytest.mark.parametrize('number', [np.nan, np.inf, -np.inf])
def test_numbers_that_would_spoil_a_training_are_rejected(number: float) -> None:
    data = FLOAT_SPACE.kind.to_disk(np.array([1.5, number], np.float32))
    claim = Claim(FLOAT_SPACE.sample_id(data), 'mug', '', 1, 0)
    pack = seal(key(1), EPOCH, 0, NO_PACK, FLOAT_SPACE, [claim])
    message = encode(pack, {claim.sample: Payload(data)})
    assert kind_of(message, FLOAT_SPACE) == 'bad payload'


def test_the_largest_manifest_is_read() -> None:
    # Different long labels and recordings in 1,000 claims.
    claims = [
        claim._replace(
            label=f'{place:04}' + '花' * 80,
            recording=f'{place:04}' + '花' * 251,
            sequence=place,
            clock=2**63 - 1,
        )
        for place, claim in enumerate(CLAIMS[:1] * 1000)
    ]
    pack = small_pack(claims)
    assert decode(encode(pack, {}), SPACE) == (pack, {})


def test_a_header_is_believed_if_the_pack_is_signed_and_valid() -> None:
    assert read_header(MESSAGE) == read_header(encode(PACK, {})) == peek(MESSAGE)
    with pytest.raises(PackError, match='not signed by'):
        read_header(PACK.manifest + bytes(64))
    with pytest.raises(PackError, match='wrong predecessor'):
        read_header(signed(put(PREVIOUS_AT, b'x' * 32)))
