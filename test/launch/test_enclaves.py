# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
"""With every launch file, each process can be put into an enclave of SROS 2."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

LAUNCH_FILES = sorted((Path(__file__).parents[2] / 'launch').glob('*.launch.py'))


@pytest.mark.parametrize('file', LAUNCH_FILES, ids=[each.stem for each in LAUNCH_FILES])
def test_each_process_gets_an_enclave(file: Path) -> None:
    nodes = [
        {each.arg: ast.unparse(each.value) for each in call.keywords}
        for call in ast.walk(ast.parse(file.read_text()))
        if isinstance(call, ast.Call) and ast.unparse(call.func) == 'Node'
    ]
    assert nodes
    without = [
        each['executable'] for each in nodes if 'enclave' not in each.get('ros_arguments', '')
    ]
    assert without == []
