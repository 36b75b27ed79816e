# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
"""
Raises LibraryMissingError on import if a library that a fleet needs is missing.

The rest of the package works without these libraries.  Modules that import one of them import this
module first.
"""

from importlib.util import find_spec

from edgetpu_retrain.errors import LibraryMissingError

_NEEDED = {'nats': 'nats-py', 'nkeys': 'nkeys', 'nacl': 'PyNaCl'}
"""The modules that a fleet needs, and the pip packages that contain them."""

_missing = [package for module, package in _NEEDED.items() if find_spec(module) is None]
if _missing:
    raise LibraryMissingError(
        f'a fleet needs {" and ".join(_missing)}, which this Python does not have: '
        f'python3 -m pip install {" ".join(_missing)}, or, on a robot, make setup'
    )
