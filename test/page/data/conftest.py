# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
"""A data folder for the tests of what the page reads."""

from __future__ import annotations

from pathlib import Path

import pytest
from support.taught_folder import TaughtFolder


@pytest.fixture
def folder(tmp_path: Path) -> TaughtFolder:
    """Return a data folder, still empty."""
    path = tmp_path / 'data'
    path.mkdir()
    return TaughtFolder(path)
