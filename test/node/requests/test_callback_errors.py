# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from edgetpu_retrain.errors import TOO_LITTLE_MEMORY
from edgetpu_retrain.node.requests.callback_errors import explain
import pytest
from support.lone_node import LoneNode


def test_too_little_memory_is_logged_in_one_line(capfd: pytest.CaptureFixture[str]) -> None:
    lone = LoneNode('explaining')
    assert explain(lone.node, MemoryError()) == f'{TOO_LITTLE_MEMORY}.'
    lone.close()
    (line,) = capfd.readouterr().err.splitlines()
    assert line.endswith(TOO_LITTLE_MEMORY)
