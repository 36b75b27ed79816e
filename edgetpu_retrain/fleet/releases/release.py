# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
"""
Release: a trained head that a member publishes for robots that do not train on all samples.

The message of a release has three parts: a line of text (the kind of message, the public key that
signs it, then JSON), little-endian float32 numbers (the weights ``[D, C]``, the bias ``[C]``, and
the unknown detector's center ``[D]``, gain ``[D]`` and directions ``[D, R]``), and a signature.
D is the length of an embedding, C the number of classes, R the number of directions.  The message
of a promotion has no numbers.  Each release and each promotion has only one valid encoding:
:func:`decode` rejects any other.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
import hashlib
import json
import math
import re
from typing import Any

from edgetpu_retrain.errors import FleetError, RequestError
from edgetpu_retrain.fleet.evidence.claim import MAX_NUMBER
from edgetpu_retrain.fleet.evidence.embedding_space import EmbeddingSpace
from edgetpu_retrain.fleet.evidence.keys import Key
from edgetpu_retrain.fleet.evidence.signed_message import (
    sign_message,
    SIGNATURE_TEXT_BYTES,
    signed_body,
)
from edgetpu_retrain.fleet.roster.roster import Member, Roster
from edgetpu_retrain.label import check_label, is_reserved
from edgetpu_retrain.learning import Head
from edgetpu_retrain.learning.unknown import UnknownDetector
import numpy as np

MAX_RELEASE_BYTES = 7 << 20
"""Maximum length of a message, bytes: enough for some 1,300 classes of the default extractor."""

_RELEASE, _PROMOTION = b'fleet release 1 ', b'fleet promotion 1 '
_KEY_LENGTH = 56
_NUMBER = np.dtype('<f4')
_HEX_64, _EPOCH = re.compile('[0-9a-f]{64}'), re.compile('[0-9a-f]{16}')


@dataclass(frozen=True, eq=False)
class Release:
    """
    A released head.

    Args:
        publisher: public key of the member that signed the release.
        issued_ms: when the release was signed, milliseconds since 1970.
        space: id of the embedding space.
        frontier: the packs that counted for the training: number and hash of the last pack, by key
            and epoch.
        share: share of the robots that take the release before it is promoted, 0 to 1.
        head: the head, with labels and unknown detector.
        sample_counts: number of training samples by class.
        accuracy: the head's accuracy on held-out samples, 0 to 1; None = not measured.
        id: SHA-256 of the unsigned message, 64 hexadecimal digits; '' = not signed yet.
    """

    publisher: str
    issued_ms: int
    space: str
    frontier: Mapping[str, Mapping[str, Any]]
    share: float
    head: Head
    sample_counts: Mapping[str, int]
    accuracy: float | None = None
    id: str = ''  # noqa: A003 - the usual name


@dataclass(frozen=True)
class Promotion:
    """
    A later decision on what share of the robots takes a release.

    Args:
        publisher: public key of the member that signed it.
        issued_ms: when it was signed, milliseconds since 1970; of several promotions of a release,
            the latest counts.
        release: id of the release.
        share: share of the robots that take the release, 0 to 1; 0 = no further robot takes it.
    """

    publisher: str
    issued_ms: int
    release: str
    share: float


def encode(release: Release, key: Key) -> bytes:
    """
    Return a release as a message.

    Args:
        release: the release; ``publisher`` and ``id`` are ignored, because the key and the content
            determine them.
        key: the key that signs the release.

    Raises:
        FleetError: if the message is too large, or the head has no unknown detector.
    """
    message = sign_message(_release_body(release, key.public), key)
    if len(message) > MAX_RELEASE_BYTES:
        raise FleetError(
            f'the head has {release.head.num_classes} classes and {len(message)} bytes; a release '
            f'may have {MAX_RELEASE_BYTES}'
        )
    return message


def encode_promotion(promotion: Promotion, key: Key) -> bytes:
    """Return a promotion as a message that a key signs; ``publisher`` is ignored."""
    return sign_message(_promotion_body(promotion, key.public), key)


def decode(message: bytes, roster: Roster, space: EmbeddingSpace) -> Release | Promotion:
    """
    Return the release or promotion in an untrusted message.

    Args:
        message: what was received.
        roster: the newest roster, which says who may release.
        space: the embedding space of this robot.

    Raises:
        FleetError: if the message is not valid, its signer may not release heads or had expired
            when it was signed, or the head is for another extractor.
    """
    kind, member, body = _verified(message, roster)
    publisher = member.key
    text, _, numbers = body.removeprefix(kind)[_KEY_LENGTH:].partition(b'\n')
    try:
        fields = json.loads(text)
        found: Release | Promotion
        if kind == _RELEASE:
            found = _release(fields, numbers, publisher, space)
            has_one_form = _release_body(found, publisher) == body
        else:
            found = Promotion(
                publisher, _whole(fields['issued_ms']), _text(fields['release'], _HEX_64),
                _share(fields['share']),
            )  # fmt: skip
            has_one_form = _promotion_body(found, publisher) == body
        if not has_one_form:
            raise ValueError('its fields are not in their one valid form')
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise FleetError(f'a release is not valid: {error}') from error
    if member.expires_ms is not None and found.issued_ms > member.expires_ms:
        raise FleetError('a release comes from a member whose time has expired')
    return found


def is_from_publisher(message: bytes, roster: Roster) -> bool:
    """
    Return whether a message is signed by a member that may release heads.

    The fields of the message are not checked, so the message may be for any extractor.

    Args:
        message: what was received.
        roster: the newest roster.
    """
    try:
        _verified(message, roster)
    except FleetError:
        return False
    return True


def _verified(message: bytes, roster: Roster) -> tuple[bytes, Member, bytes]:
    """Return kind, signer and body of an untrusted message; raise FleetError if it is invalid."""
    if not SIGNATURE_TEXT_BYTES < len(message) <= MAX_RELEASE_BYTES:
        raise FleetError(f'a release has {len(message)} bytes: at most {MAX_RELEASE_BYTES}')
    kind = next((each for each in (_RELEASE, _PROMOTION) if message.startswith(each)), b'')
    publisher = message.removeprefix(kind)[:_KEY_LENGTH].decode('ascii', 'replace')
    member = roster.member(publisher)
    if not kind or member is None or not roster.may_release(publisher):
        raise FleetError('a release comes from nobody who may release heads in this fleet')
    body = signed_body(message, publisher)
    if body is None:
        raise FleetError('a release is not signed by the key that it names')
    return kind, member, body


def _release(fields: Any, numbers: bytes, publisher: str, space: EmbeddingSpace) -> Release:
    if fields['space'] != space.id:
        raise ValueError('it is for another extractor')
    counts = {_label(name): _whole(count) for name, count in fields['samples']}
    labels = tuple(counts)
    dimension, classes, directions = (
        space.kind.dimension,
        len(labels),
        _whole(fields['directions']),
    )
    if classes < 2 or classes != len(fields['samples']) or directions > dimension:
        raise ValueError(f'it has {classes} classes and {directions} directions')
    sizes = [dimension * classes, classes, dimension, dimension, dimension * directions]
    if len(numbers) != _NUMBER.itemsize * sum(sizes):
        raise ValueError(f'it has {len(numbers)} bytes of numbers')
    values = np.frombuffer(numbers, _NUMBER).astype(np.float32)
    if not np.isfinite(values).all():
        raise ValueError('it has a number that is not finite')
    weights, bias, center, gain, along = np.split(values, np.cumsum(sizes)[:-1])
    low, high = map(_finite, fields['logit_range'])
    if low > high:
        raise ValueError(f'its logits are from {low} to {high}')
    threshold, temperature = fields['threshold'], fields['temperature']
    detector = UnknownDetector(
        center, gain, math.inf if threshold is None else _finite(threshold),
        along.reshape(dimension, directions), _finite(fields['full_share']),
    )  # fmt: skip
    head = Head(
        weights.reshape(dimension, classes), bias, labels, (low, high),
        None if temperature is None else _finite(temperature), detector,
    )  # fmt: skip
    accuracy = fields['accuracy']
    return Release(
        publisher, _whole(fields['issued_ms']), space.id, _frontier(fields['frontier']),
        _share(fields['share']), head, counts, None if accuracy is None else _share(accuracy),
        hashlib.sha256(_release_text(fields, publisher) + numbers).hexdigest(),
    )  # fmt: skip


def _release_body(release: Release, publisher: str) -> bytes:
    head, detector = release.head, release.head.unknown
    if detector is None:
        raise FleetError('a head without an unknown detector cannot be released')
    fields = {
        'issued_ms': release.issued_ms,
        'space': release.space,
        'frontier': release.frontier,
        'share': float(release.share),
        'samples': [[label, release.sample_counts[label]] for label in head.labels],
        'accuracy': release.accuracy,
        'logit_range': [float(each) for each in head.logit_range],
        'temperature': None if head.temperature is None else float(head.temperature),
        'threshold': float(detector.threshold) if math.isfinite(detector.threshold) else None,
        'full_share': float(detector.full_share),
        'directions': detector.directions.shape[1],
    }
    parts = head.weights, head.bias, detector.center, detector.gain, detector.directions
    numbers = b''.join(np.ascontiguousarray(part, _NUMBER).tobytes() for part in parts)
    return _release_text(fields, publisher) + numbers


def _release_text(fields: Mapping[str, Any], publisher: str) -> bytes:
    return _RELEASE + publisher.encode() + b' ' + _json(fields) + b'\n'


def _promotion_body(promotion: Promotion, publisher: str) -> bytes:
    fields = {
        'issued_ms': promotion.issued_ms,
        'release': promotion.release,
        'share': float(promotion.share),
    }
    return _PROMOTION + publisher.encode() + b' ' + _json(fields)


def _json(fields: Mapping[str, Any]) -> bytes:
    return json.dumps(fields, sort_keys=True, separators=(',', ':'), allow_nan=False).encode()


def _label(name: Any) -> str:
    try:
        label = check_label(name)
    except RequestError as error:
        raise ValueError(str(error)) from error
    if is_reserved(label):
        raise ValueError('it has a class whose name is reserved')
    return label


def _frontier(fields: Any) -> dict[str, dict[str, list[object]]]:
    return {
        str(key): {
            _text(epoch, _EPOCH): [_whole(number), _text(digest, _HEX_64)]
            for epoch, (number, digest) in epochs.items()
        }
        for key, epochs in fields.items()
    }


def _text(value: Any, pattern: re.Pattern[str]) -> str:
    if not pattern.fullmatch(value):
        raise ValueError('it has a digest or an epoch of another form')
    return str(value)


def _whole(value: Any) -> int:
    if type(value) is not int or not 0 <= value <= MAX_NUMBER:
        raise ValueError(f'it has a number that is not from 0 to {MAX_NUMBER}')
    return value


def _finite(value: Any) -> float:
    if type(value) is not float or not abs(value) <= float(np.finfo(np.float32).max):
        raise ValueError('it has a number that is not finite')
    return value


def _share(value: Any) -> float:
    if type(value) is not float or not 0.0 <= value <= 1.0:
        raise ValueError('it has a share that is not from 0 to 1')
    return value
