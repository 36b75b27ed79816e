# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from collections import OrderedDict
import os
import pickle
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from tools.torch_checkpoint import CheckpointError, MAGIC_NUMBER, read_checkpoint

LITTLE_ENDIAN = {'little_endian': True, 'protocol_version': 1001, 'type_sizes': {}}


class Global:
    """A name that the unpickler is asked to look up, written without having the module."""

    def __init__(self, module: str, name: str) -> None:
        self.path = f'{module}\n{name}\n'.encode()


class Call:
    """A call of a global with arguments, as ``__reduce__`` leaves it in a pickle."""

    def __init__(self, function: Global, *arguments: Any) -> None:
        self.function = function
        self.arguments = arguments


class Storage:
    """A persistent reference to a storage."""

    def __init__(self, kind: str, dtype: str, key: str, size: int) -> None:
        self.fields = (kind, Global('torch', dtype), key, 'cpu', size)


def pickled(value: Any) -> bytes:
    """Return a pickle of protocol 2 in which the classes above stand for their opcodes."""
    return pickle.PROTO + b'\x02' + opcodes(value) + pickle.STOP


def opcodes(value: Any) -> bytes:
    if isinstance(value, Global):
        return pickle.GLOBAL + value.path
    if isinstance(value, Call):
        return opcodes(value.function) + opcodes(value.arguments) + pickle.REDUCE
    if isinstance(value, Storage):
        return opcodes(('storage', *value.fields)[1:]) + pickle.BINPERSID
    if isinstance(value, tuple):
        return pickle.MARK + b''.join(map(opcodes, value)) + pickle.TUPLE
    if isinstance(value, dict):
        items = b''.join(opcodes(key) + opcodes(item) for key, item in value.items())
        empty = opcodes(Call(Global('collections', 'OrderedDict')))
        return empty + pickle.MARK + items + pickle.SETITEMS
    # Anything plain: a pickle of its own less its protocol and its end.
    return pickle.dumps(value, protocol=2)[2:-1]


def tensor(key: str, size: int, shape: tuple[int, ...], strides: tuple[int, ...]) -> Call:
    storage = Storage('storage', 'FloatStorage', key, size)
    rebuild = Global('torch._utils', '_rebuild_tensor_v2')
    return Call(rebuild, storage, 0, shape, strides, False, OrderedDict())


def checkpoint(
    tensors: dict[str, Any], storages: dict[str, npt.NDArray[Any]], magic: int = MAGIC_NUMBER
) -> bytes:
    raw = b''.join(np.int64(one.size).tobytes() + one.tobytes() for one in storages.values())
    parts = [magic, 1001, LITTLE_ENDIAN, tensors, list(storages)]
    return b''.join(map(pickled, parts)) + raw


NUMBERS = np.arange(6, dtype=np.float32)


def test_tensors_come_out_by_name_as_views_of_their_storages() -> None:
    content = checkpoint(
        {'plain': tensor('7', 6, (2, 3), (3, 1)), 'turned': tensor('7', 6, (3, 2), (1, 3))},
        {'7': NUMBERS},
    )
    tensors = read_checkpoint(content)
    assert list(tensors) == ['plain', 'turned']
    np.testing.assert_array_equal(tensors['plain'], NUMBERS.reshape(2, 3))
    np.testing.assert_array_equal(tensors['turned'], NUMBERS.reshape(2, 3).T)


@pytest.mark.parametrize(
    ('module', 'name'),
    [('os', 'system'), ('posix', 'system'), ('builtins', 'eval'), ('torch', 'load')],
)
def test_a_checkpoint_that_calls_anything_else_is_rejected_and_nothing_is_called(
    module: str, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    called: list[str] = []
    monkeypatch.setattr(os, 'system', called.append)
    evil = Call(Global(module, name), 'echo gotcha')
    with pytest.raises(CheckpointError, match=rf'{module}\.{name}'):
        read_checkpoint(checkpoint({'weights': evil}, {'7': NUMBERS}))
    assert not called


@pytest.mark.parametrize(
    ('shape', 'strides'), [((2, 4), (3, 1)), ((7,), (1,)), ((2, 3), (-3, 1)), ((2,), (2**40,))]
)
def test_a_tensor_that_reaches_outside_of_its_storage_is_rejected(
    shape: tuple[int, ...], strides: tuple[int, ...]
) -> None:
    content = checkpoint({'wide': tensor('7', 6, shape, strides)}, {'7': NUMBERS})
    with pytest.raises(CheckpointError, match='outside'):
        read_checkpoint(content)


def test_a_storage_of_another_length_is_rejected() -> None:
    content = checkpoint({'plain': tensor('7', 6, (6,), (1,))}, {'7': NUMBERS})
    with pytest.raises(CheckpointError, match='storage 7'):
        read_checkpoint(content[:-4])
    with pytest.raises(CheckpointError, match='storage 7'):
        read_checkpoint(content[: -NUMBERS.nbytes - 4])


def test_other_files_than_checkpoints_are_rejected() -> None:
    for content in (b'', b'not a pickle', pickled(1), checkpoint({}, {}, magic=3)):
        with pytest.raises(CheckpointError):
            read_checkpoint(content)
