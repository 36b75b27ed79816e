# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
"""
A model's description of itself: metadata, signatures and minimum runtime version.

A new head changes the model's output, so metadata, signatures and version must be updated.
"""

from __future__ import annotations

from typing import Any

from edgetpu_retrain.model_file.schema import indices, load_schema, text
import numpy as np

_MIN_RUNTIME_VERSION = 'min_runtime_version'
MEMORY_PLAN = 'OfflineMemoryAllocation'
"""Name of the entry with TensorFlow Lite Micro's memory plan, which a new tensor invalidates."""

_VERSION_BYTES = 16


def require_runtime(tree: Any, version: tuple[int, int, int]) -> None:
    """Increase a model's minimum runtime version, if it states one, to at least ``version``."""
    content = content_of(tree, _MIN_RUNTIME_VERSION)
    if content is None:
        return
    named = content.split(b'\0')[0].decode(errors='replace')
    numbers = [int(number) for number in named.split('.') if number.isdecimal()]
    if numbers and tuple(numbers) < version:
        raised = '.'.join(str(number) for number in version).encode()
        set_content(tree, _MIN_RUNTIME_VERSION, raised.ljust(_VERSION_BYTES, b'\0'))


def redirect_signatures(tree: Any, old: int, new: int, name: str) -> None:
    """Replace output tensor ``old`` by ``new`` in all signatures, and rename the output."""
    for signature in tree.signatureDefs or []:
        for entry in signature.outputs or []:
            if entry.tensorIndex == old:
                entry.tensorIndex = new
                entry.name = name


def add_signature_output(tree: Any, tensor: int, name: str) -> None:
    """Add an output to every signature, since signatures list all outputs."""
    for signature in tree.signatureDefs or []:
        entry = load_schema().TensorMapT(name=name, tensorIndex=tensor)
        signature.outputs = [*(signature.outputs or []), entry]


def _entries(tree: Any, name: str) -> list[Any]:
    return [entry for entry in tree.metadata or [] if text(entry.name) == name]


def content_of(tree: Any, name: str) -> bytes | None:
    """Return the content of the metadata entry ``name``, or None if there is no such entry."""
    for entry in _entries(tree, name):
        data = tree.buffers[entry.buffer].data
        if data is not None:
            return bytes(data)
    return None


def set_content(tree: Any, name: str, content: bytes) -> None:
    """Set the content of the metadata entry ``name``, and add the entry if there is none."""
    schema = load_schema()
    data = np.frombuffer(content, np.uint8)
    for entry in _entries(tree, name):
        if _is_unshared(tree, entry):
            # Replace the content in place, so that repeated calls do not add buffers.
            tree.buffers[entry.buffer].data = data
            return
    drop_content(tree, name)
    tree.buffers.append(schema.BufferT(data=data))
    entry = schema.MetadataT(name=name, buffer=len(tree.buffers) - 1)
    tree.metadata = [*(tree.metadata or []), entry]


def drop_content(tree: Any, name: str) -> None:
    """Remove the metadata entry ``name``, if there is one."""
    for entry in _entries(tree, name):
        if _is_unshared(tree, entry):
            # Keep the empty buffer, because buffers are referenced by index.
            tree.buffers[entry.buffer].data = None
        tree.metadata = [other for other in tree.metadata if other is not entry] or None


def _is_unshared(tree: Any, entry: Any) -> bool:
    """Return whether a metadata entry is the only user of its buffer."""
    used = [tensor.buffer for tensor in tree.subgraphs[0].tensors]
    used += [other.buffer for other in tree.metadata if other is not entry]
    return entry.buffer not in [0, *used, *indices(tree.metadataBuffer)]
