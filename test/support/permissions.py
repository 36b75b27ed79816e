# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
"""Takes permissions to files away, also from root."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
import ctypes
from pathlib import Path


class _CapabilityHeader(ctypes.Structure):
    _fields_ = (('version', ctypes.c_uint32), ('pid', ctypes.c_int))


class _Capabilities(ctypes.Structure):
    _fields_ = (
        ('effective', ctypes.c_uint32),
        ('permitted', ctypes.c_uint32),
        ('inheritable', ctypes.c_uint32),
    )


@contextmanager
def without(bits: int, paths: Iterable[Path]) -> Iterator[None]:
    """
    Take permissions to some paths away, from root as well.

    Root is let through by CAP_DAC_OVERRIDE and CAP_DAC_READ_SEARCH (man 7 capabilities), which
    this thread lays aside meanwhile.
    """
    header = _CapabilityHeader(0x20080522, 0)
    capabilities = (_Capabilities * 2)()
    libc = ctypes.CDLL(None)
    assert libc.capget(ctypes.byref(header), capabilities) == 0
    effective = capabilities[0].effective
    modes = {path: path.stat().st_mode for path in paths}
    try:
        for path, mode in modes.items():
            path.chmod(mode & ~bits)
        capabilities[0].effective &= ~0b110
        assert libc.capset(ctypes.byref(header), capabilities) == 0
        yield
    finally:
        capabilities[0].effective = effective
        assert libc.capset(ctypes.byref(header), capabilities) == 0
        for path, mode in modes.items():
            path.chmod(mode)
