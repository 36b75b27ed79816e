# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
"""The libraries of the fleet are optional."""

from __future__ import annotations

import importlib
import sys

from edgetpu_retrain.errors import LibraryMissingError
import pytest


def test_without_its_libraries_the_fleet_states_what_to_install(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    for name in [name for name in sys.modules if name.startswith('edgetpu_retrain.fleet')]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, 'nats', None)
    monkeypatch.setitem(sys.modules, 'nacl', None)
    with pytest.raises(LibraryMissingError, match='python3 -m pip install nats-py PyNaCl, or'):
        importlib.import_module('edgetpu_retrain.fleet')
