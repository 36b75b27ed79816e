# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
"""Every message is one printable line, for any content."""

from __future__ import annotations

from edgetpu_retrain.errors import (
    in_words,
    ModelFileError,
    RequestError,
    RetrainError,
    StoreError,
    TOO_LITTLE_MEMORY,
)
import pytest


@pytest.mark.parametrize('kind', [RetrainError, ModelFileError, RequestError, StoreError])
def test_a_message_is_one_printable_line(kind: type[RetrainError]) -> None:
    error = kind('the label is a\n[ERROR] \x1b[31mb\u2028\ud800 ä')
    assert str(error) == r'the label is a\n[ERROR] \x1b[31mb\u2028\ud800 ä'


def test_a_message_does_not_flood_a_log() -> None:
    message = str(StoreError('x' * 1_000_000))
    assert len(message) < 2500
    assert message.endswith('... (1000000 characters)')


def test_a_long_own_message_is_not_truncated() -> None:
    words = ', '.join(f'class {number}' for number in range(60))
    assert str(RequestError(words)) == words


def test_escaped_characters_count_as_escaped() -> None:
    assert len(str(StoreError('\U000e0001' * 2000))) < 2500


def test_too_little_memory_has_words() -> None:
    assert in_words(MemoryError()) == TOO_LITTLE_MEMORY
    assert in_words(RequestError('the label is empty')) == 'the label is empty'
    assert in_words(KeyError('x')) == "KeyError('x')"
