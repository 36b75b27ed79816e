# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
"""Describes the result of an import of samples in sentences."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import islice
from typing import Any

from edgetpu_retrain.wording import counted, NAMED_AT_MOST, sentence


def in_words(done: Mapping[str, Any]) -> str:
    """
    Return a message for the user who imported samples.

    Args:
        done: the result of ``samples import --json``; the keys of ``labels`` are messages.

    >>> in_words({'added': 2, 'present': 1, 'relabelled': 0, 'left_out': 0, 'labels': {}})
    '2 samples were added, 1 was there already.'
    """
    added, present, relabelled = done['added'], done['present'], done['relabelled']
    words = f'{counted(added, "sample was", "samples were")} added'
    if present:
        words += f', {counted(present, "was", "were")} there already'
    sentences = [sentence(words)]
    if relabelled:
        sentences.append(
            f'{counted(relabelled, "sample has", "samples have")} another label here than in the '
            'zip, and kept it.'
        )
    sentences += [sentence(each) for each in islice(done['labels'], NAMED_AT_MOST)]
    return ' '.join(sentences)
