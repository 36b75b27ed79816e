# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
"""The node's program for tests: without root's privileges, and with less patience for a lock."""

from __future__ import annotations

import ctypes
import os
import sys

from edgetpu_retrain.node.main import main
from edgetpu_retrain.store.files import lock_wait

# For a lock, in seconds; a second's wait shows as much as ten do.
PATIENCE_S = float(os.environ.get('PATIENCE_S', '1'))
# CAP_DAC_OVERRIDE and CAP_DAC_READ_SEARCH let root through where others may not write
# (man 7 capabilities).
PASS_KEYS = 0b110


def lay_aside_pass_keys() -> None:
    """Give up the privileges for which no folder is read-only; threads started later inherit."""
    libc = ctypes.CDLL(None)
    # man 2 capset: version 3, this thread; then effective, permitted and inheritable, twice.
    header = (ctypes.c_uint32 * 2)(0x20080522, 0)
    capabilities = (ctypes.c_uint32 * 6)()
    assert libc.capget(header, capabilities) == 0
    capabilities[0] &= ~PASS_KEYS
    assert libc.capset(header, capabilities) == 0


if __name__ == '__main__':
    lay_aside_pass_keys()
    lock_wait.PATIENCE_S = PATIENCE_S
    sys.exit(main())
