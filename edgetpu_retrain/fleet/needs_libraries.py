# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
"""
Raises a clear error if a library of the fleet is missing.

The rest of the package works without them.  Modules that import one import this module first.
"""

from importlib.util import find_spec

from edgetpu_retrain.errors import LibraryMissingError

_NEEDED = {'nats': 'nats-py', 'nkeys': 'nkeys', 'nacl': 'PyNaCl'}
"""The modules that a fleet needs, with the names of their packages for pip."""

_missing = [package for module, package in _NEEDED.items() if find_spec(module) is None]
if _missing:
    raise LibraryMissingError(
        f'a fleet needs {" and ".join(_missing)}, which this Python does not have: '
        f'python3 -m pip install {" ".join(_missing)}, or, on a robot, make setup'
    )
