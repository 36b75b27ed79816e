# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
"""Requests to a child process that prints other things as well."""

from __future__ import annotations

import os
from pathlib import Path
import sys

from benchmarks.shared.dialogue import Child
import pytest

ROOT = Path(__file__).parents[3]
TALKATIVE = """
import os
from benchmarks.shared.dialogue import reply, requests

for request in requests():
    os.write(1, b'by the way\\n')
    reply(request['number'])
    if request['number'] == 2:
        break
"""


def test_only_replies_are_read_and_the_rest_is_in_the_log(tmp_path: Path) -> None:
    log = tmp_path / 'log'
    environment = {**os.environ, 'PYTHONPATH': str(ROOT)}
    with Child([sys.executable, '-c', TALKATIVE], environment, log) as child:
        assert child.request(number=1) == 1
        assert child.request(number=2) == 2
        with pytest.raises(RuntimeError, match='ended:\nby the way\nby the way'):
            child.request(number=3)
    assert log.read_text() == 2 * 'by the way\n'
