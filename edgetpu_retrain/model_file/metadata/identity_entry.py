# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
"""
Reads and writes the identity of an extractor in a model file.

Embeddings are stored under the identity of their extractor.  By default, this is the SHA-256 of
the extractor's file or, if the file states an input range other than -1..1, a hash of this SHA-256
and the range.  If this package made the extractor from another file, the identity is an entry in
the model's metadata table.  It then depends on the other file, on the user's choices and on where
a classifier was cut, but not on how the extractor was packed.
"""

from __future__ import annotations

import hashlib
import re
from typing import Any

from edgetpu_retrain.model_file.metadata import self_description

IDENTITY_NAME = 'EDGETPU_RETRAIN_IDENTITY'

_IDENTITY = re.compile(rb'[0-9a-f]{64}')


def identity_of(model: bytes, choices: tuple[str, ...] = ()) -> str:
    """
    Return the identity of an extractor that is made from a file.

    Args:
        model: the bytes of the file.
        choices: the choices that are part of the identity, such as 'input size 224x224'; () if
            there are none.
    """
    identity = hashlib.sha256(model).hexdigest()
    if choices:
        identity = hashlib.sha256('\n'.join((identity, *choices)).encode()).hexdigest()
    return identity


def write_identity(tree: Any, identity: str) -> None:
    """Write an identity, 64 hexadecimal digits, into a model."""
    self_description.set_content(tree, IDENTITY_NAME, identity.encode())


def read_identity(tree: Any) -> str:
    """Return the identity in a model, or '' if the model has no valid one."""
    content = self_description.content_of(tree, IDENTITY_NAME) or b''
    return content.decode() if _IDENTITY.fullmatch(content) else ''
