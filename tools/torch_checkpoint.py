# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
"""
Read the tensors of a PyTorch checkpoint without PyTorch, and without trusting the file.

A checkpoint is a pickle, and a pickle may call anything.  Here it may call only what a table of
named tensors needs: the names on the allow-list below.  Everything else is refused, so the file
can at worst be unreadable.

The format is the one that ``torch.save`` wrote before PyTorch 1.6: five pickles after each other
(magic number, protocol version, machine facts, the tensors as views of storages, the storages'
keys), then every storage as an element count and its raw little-endian elements; see
``_legacy_save`` in https://github.com/pytorch/pytorch/blob/v1.5.0/torch/serialization.py.
"""

from __future__ import annotations

from collections import OrderedDict
import io
import pickle
from typing import Any, ClassVar, NamedTuple

import numpy as np
import numpy.typing as npt

Tensors = dict[str, npt.NDArray[Any]]

MAGIC_NUMBER = 0x1950A86A20F9469CFC6C
PROTOCOL_VERSION = 1001
STORAGE_DTYPES = {'FloatStorage': np.dtype('<f4'), 'LongStorage': np.dtype('<i8')}


class CheckpointError(ValueError):
    """A file that is not a checkpoint of plain tensors."""


class _Storage(NamedTuple):
    key: str
    dtype: np.dtype[Any]
    length: int


class _View(NamedTuple):
    storage: _Storage
    offset: int
    shape: tuple[int, ...]
    strides: tuple[int, ...]


def _view(
    storage: _Storage,
    offset: int,
    shape: tuple[int, ...],
    strides: tuple[int, ...],
    *_gradients_and_hooks: object,
) -> _View:
    """Stand in for ``torch._utils._rebuild_tensor_v2``."""
    return _View(storage, offset, tuple(shape), tuple(strides))


class _AllowListUnpickler(pickle.Unpickler):  # noqa: S301 - it refuses all but four names
    """An unpickler that can make ordered dictionaries, storages and views of them; no more."""

    _ALLOWED: ClassVar[dict[tuple[str, str], Any]] = {
        ('collections', 'OrderedDict'): OrderedDict,
        ('torch._utils', '_rebuild_tensor_v2'): _view,
        **{('torch', name): dtype for name, dtype in STORAGE_DTYPES.items()},
    }

    def find_class(self, module: str, name: str) -> Any:
        try:
            return self._ALLOWED[module, name]
        except KeyError:
            raise CheckpointError(
                f'the checkpoint asks for {module}.{name}, which a table of tensors does not '
                f'need; it was not read further'
            ) from None

    def persistent_load(self, pid: Any) -> _Storage:
        kind, dtype, key, _location, length = pid[:5]
        if kind != 'storage':
            raise CheckpointError(f'the checkpoint refers to a {kind!r}, not to a storage')
        return _Storage(key, dtype, length)


def read_checkpoint(content: bytes) -> Tensors:
    """
    Return the tensors of a legacy PyTorch checkpoint.

    Args:
        content: the bytes of the file.

    Returns:
        The tensors by name, as arrays of their own in the checkpoint's dtype.

    Raises:
        CheckpointError: when the file is not such a checkpoint, or asks for more than tensors.
    """
    stream = io.BytesIO(content)
    try:
        magic, version, machine = (_AllowListUnpickler(stream).load() for _ in range(3))
        if magic != MAGIC_NUMBER or version != PROTOCOL_VERSION or not machine['little_endian']:
            raise CheckpointError('not a little-endian checkpoint of PyTorch before 1.6')
        views: dict[str, _View] = _AllowListUnpickler(stream).load()
        keys: list[str] = _AllowListUnpickler(stream).load()
        storages = {view.storage.key: view.storage for view in views.values()}
        elements = {key: _read_storage(stream, storages[key]) for key in keys}
    except CheckpointError:
        raise
    except (pickle.UnpicklingError, LookupError, EOFError, TypeError, ValueError) as error:
        raise CheckpointError(f'not a PyTorch checkpoint: {error}') from error
    return {name: _materialize(view, elements[view.storage.key]) for name, view in views.items()}


def _read_storage(stream: io.BytesIO, storage: _Storage) -> npt.NDArray[Any]:
    count = int.from_bytes(stream.read(8), 'little')
    raw = stream.read(storage.length * storage.dtype.itemsize)
    if count != storage.length or len(raw) != storage.length * storage.dtype.itemsize:
        raise CheckpointError(f'storage {storage.key} does not hold {storage.length} elements')
    return np.frombuffer(raw, storage.dtype)


def _materialize(view: _View, elements: npt.NDArray[Any]) -> npt.NDArray[Any]:
    last = view.offset + sum((n - 1) * s for n, s in zip(view.shape, view.strides, strict=True))
    if min(view.offset, *view.strides, 0) < 0 or last >= elements.size:
        raise CheckpointError(f'a tensor of shape {view.shape} reaches outside of its storage')
    start = view.offset
    strides = [stride * elements.itemsize for stride in view.strides]
    return np.lib.stride_tricks.as_strided(
        elements[start:], view.shape, strides, writeable=False
    ).copy()
