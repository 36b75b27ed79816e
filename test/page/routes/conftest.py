# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
"""A robot whose page the tests of a module share."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from support.page_api import PageApi


@pytest.fixture(scope='module')
def page(package_path: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[PageApi]:
    """Return the page of a robot without samples."""
    with PageApi(package_path, tmp_path_factory.mktemp('robot')) as page:
        yield page
