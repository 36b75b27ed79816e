# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
"""
The signed part of a pack: its place in the chain, and its claims.

A manifest has exactly one valid encoding, the one that :func:`write_manifest` returns; all others
are rejected.  All numbers are big-endian::

    head        magic, origin, epoch, number, previous, space, sequence, counts (_HEAD)
    labels      the distinct labels of the claims, sorted, one per line; the first is always empty
    recordings  the distinct recordings of the claims, sorted, one per line
    claims      sample id, clock, line numbers of label and recording, flags (_CLAIM)
    pictures    the SHA-256 of each thumbnail, in the order of the claims
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from itertools import accumulate, pairwise
import struct
from typing import NamedTuple

from edgetpu_retrain.errors import PackError
from edgetpu_retrain.fleet.evidence.claim import (
    check_claim_label,
    check_claim_recording,
    check_numbers,
    Claim,
    MAX_NUMBER,
)
from edgetpu_retrain.fleet.evidence.embedding_space import ID_BYTES
from edgetpu_retrain.fleet.evidence.keys import KEY_BYTES, public_text, raw_public
from edgetpu_retrain.label import MAX_LABEL_BYTES
from edgetpu_retrain.store.samples.recording import MAX_RECORDING_LENGTH

MAX_CLAIMS = 1000
"""The maximum number of claims in a pack."""

EPOCH_DIGITS = 16
"""Number of random hexadecimal digits that name an epoch of a key, see pack.py."""

NO_PACK = bytes(ID_BYTES)
"""The first pack of an epoch has this instead of the hash of the previous pack."""

# No other kind of signed message begins with this, so a signature is valid for one kind only.
_MAGIC = b'EDGEPCK1'
_HEAD = struct.Struct(f'>8s{KEY_BYTES}s{EPOCH_DIGITS // 2}sQ{ID_BYTES}s{ID_BYTES}sQHHII')
_CLAIM = struct.Struct(f'>{ID_BYTES}sQHHB')
_ERASED, _HAS_PICTURE = 1, 2
_MAX_LABELS_BYTES = (MAX_CLAIMS + 1) * (MAX_LABEL_BYTES + 1)
_MAX_RECORDINGS_BYTES = MAX_CLAIMS * (4 * MAX_RECORDING_LENGTH + 1)


class Head(NamedTuple):
    """The head of a manifest; :func:`read_head` checks that its counts are within their limits."""

    origin: str
    epoch: str
    number: int
    previous: bytes
    space_id: str
    sequence: int
    claims: int
    pictures: int
    label_bytes: int
    recording_bytes: int

    @property
    def manifest_bytes(self) -> int:
        """Length of the whole manifest, bytes."""
        texts = self.label_bytes + self.recording_bytes
        return _HEAD.size + texts + _CLAIM.size * self.claims + ID_BYTES * self.pictures


class Manifest(NamedTuple):
    """The content of a manifest; see :class:`~edgetpu_retrain.fleet.evidence.pack.Pack`."""

    origin: str
    epoch: str
    number: int
    previous: bytes
    space_id: str
    claims: tuple[Claim, ...]
    pictures: Mapping[bytes, bytes]


def labelled_samples(claims: Iterable[Claim]) -> list[bytes]:
    """Return the ids of the samples that claims label, each once, in the order of the claims."""
    return list(dict.fromkeys(claim.sample for claim in claims if claim.label))


def claim_bytes(claim: Claim) -> int:
    """Return the maximum number of bytes that a claim needs in a manifest."""
    return _CLAIM.size + len(claim.label.encode()) + len(claim.recording.encode()) + ID_BYTES + 2


def write_manifest(manifest: Manifest) -> bytes:
    """
    Return the bytes of a manifest.

    Raises:
        PackError: of kind 'bad claim' if a value is not valid.
    """
    claims, head = manifest.claims, _head_values(manifest)
    labels = {label: number for number, label in enumerate(sorted({'', *_labels(claims)}))}
    recordings = {name: number for number, name in enumerate(sorted(_recordings(claims)))}
    texts = ['\n'.join(each).encode() for each in (labels, recordings)]
    pictures = dict(manifest.pictures)
    records = []
    for claim in claims:
        # Only the first claim that labels a sample has the flag for its thumbnail.
        digest = pictures.pop(claim.sample, None) if claim.label else None
        flags = _ERASED * claim.erased | _HAS_PICTURE * (digest is not None)
        numbers = labels[claim.label], recordings[claim.recording]
        records.append(_CLAIM.pack(claim.sample, claim.clock, *numbers, flags))
    digests = [
        manifest.pictures[sample]
        for sample in labelled_samples(claims)
        if sample in manifest.pictures
    ]
    counts = len(digests), *map(len, texts)
    return b''.join([_HEAD.pack(*head, *counts), *texts, *records, *digests])


def read_head(data: bytes) -> Head:
    """
    Return the head of the manifest at the beginning of untrusted bytes.

    Raises:
        PackError: of kind 'not a pack' if there is no manifest, or only a part of one; of kind
            'too large' if a count exceeds its limit.
    """
    if len(data) < _HEAD.size or not data.startswith(_MAGIC):
        raise PackError('not a pack', f'{len(data)} bytes are not a pack of a fleet')
    _, origin, epoch, number, previous, space, *counts = _HEAD.unpack_from(data)
    head = Head(public_text(origin), epoch.hex(), number, previous, space.hex(), *counts)
    if (
        head.claims > MAX_CLAIMS
        or head.pictures > head.claims
        or head.label_bytes > _MAX_LABELS_BYTES
        or head.recording_bytes > _MAX_RECORDINGS_BYTES
    ):
        raise PackError('too large', f'a pack has {head.claims} claims or too much text')
    if head.manifest_bytes > len(data):
        raise PackError('not a pack', f'a pack ends after {len(data)} bytes')
    return head


def read_manifest(data: bytes) -> Manifest:
    """
    Return the content of a manifest from its untrusted bytes.

    Raises:
        PackError: of kind 'not a pack' if the bytes are not a manifest, 'too large' if a count
            exceeds its limit, or 'bad claim' if anything else is not valid.
    """
    head = read_head(data)
    sizes = _HEAD.size, head.label_bytes, head.recording_bytes, _CLAIM.size * head.claims
    _, label_text, recording_text, claim_records, digest_bytes = _cut(data, *sizes)
    labels, recordings = _lines(label_text), _lines(recording_text)
    records = list(_CLAIM.iter_unpack(claim_records))
    try:
        claims = tuple(
            Claim(
                sample,
                labels[label],
                recordings[recording],
                clock,
                head.sequence + place,
                bool(flags & _ERASED),
            )
            for place, (sample, clock, label, recording, flags) in enumerate(records)
        )
    except IndexError:
        raise PackError('bad claim', 'a claim has a label that the pack does not list') from None
    samples = [record[0] for record in records if record[-1] & _HAS_PICTURE]
    digests = _cut(digest_bytes, *[ID_BYTES] * head.pictures)
    pictures = dict(zip(samples, digests, strict=False))
    manifest = Manifest(*head[:5], claims, pictures)
    if write_manifest(manifest) != data:
        raise PackError('bad claim', 'a pack is not in its one valid form')
    return manifest


def _head_values(manifest: Manifest) -> tuple[bytes | int, ...]:
    """Check and return the values of a head, from the magic to the number of claims."""
    claims = manifest.claims
    if not 1 <= len(claims) <= MAX_CLAIMS:
        raise PackError('bad claim', f'a pack has {len(claims)} claims, not 1 to {MAX_CLAIMS}')
    if not 0 <= manifest.number <= MAX_NUMBER:
        raise PackError('bad claim', f'a pack has the number {manifest.number}')
    if (manifest.number == 0) != (manifest.previous == NO_PACK):
        raise PackError('bad claim', f'pack {manifest.number} has the wrong predecessor')
    for place, claim in enumerate(claims, claims[0].sequence):
        check_numbers(claim)
        if claim.sequence != place:
            raise PackError(
                'bad claim', f'claim {place} of a pack has the sequence number {claim.sequence}'
            )
    origin = raw_public(manifest.origin, 'user')
    epoch, space = _from_hex(manifest.epoch), _from_hex(manifest.space_id)
    lengths = len(epoch), len(space), len(manifest.previous)
    if origin is None or lengths != (EPOCH_DIGITS // 2, ID_BYTES, ID_BYTES):
        raise PackError('bad claim', 'the origin, epoch or space of a pack is not valid')
    place_in_chain = (origin, epoch, manifest.number, manifest.previous, space)
    return (_MAGIC, *place_in_chain, claims[0].sequence, len(claims))


def _from_hex(digits: str) -> bytes:
    try:
        data = bytes.fromhex(digits)
    except ValueError:
        return b''
    return data if data.hex() == digits else b''


def _labels(claims: Iterable[Claim]) -> set[str]:
    return {check_claim_label(label) for label in {claim.label for claim in claims}}


def _recordings(claims: Iterable[Claim]) -> set[str]:
    return {check_claim_recording(name) for name in {claim.recording for claim in claims}}


def _cut(data: bytes, *sizes: int) -> list[bytes]:
    """Return consecutive parts of the given sizes, and the rest."""
    ends = [0, *accumulate(sizes), len(data)]
    return [data[begin:end] for begin, end in pairwise(ends)]


def _lines(data: bytes) -> list[str]:
    try:
        return data.decode().split('\n')
    except UnicodeDecodeError as error:
        raise PackError('bad claim', f'the text of a pack is not UTF-8: {error}') from error
