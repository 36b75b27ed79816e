# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
"""Nothing but what concerns the user is printed when a model is loaded."""

from __future__ import annotations

import os
from pathlib import Path
import subprocess
import sys

from edgetpu_retrain.runtime.interpreters.startup_notice import NOTICE, without_line
import pytest
from support.small_models import build_extractor

LOAD = """
import os, sys
from edgetpu_retrain.runtime.interpreters.tflite_runtimes import cpu_runtime, edgetpu_runtime
model = open(sys.argv[2], 'rb').read()
runtime = {'cpu': cpu_runtime, 'edgetpu': edgetpu_runtime}[sys.argv[1]]
for _ in range(2):
    runtime().make_interpreter(model).allocate_tensors()
os.write(2, b'the end')
"""


@pytest.mark.parametrize('runtime', ['cpu', 'edgetpu'])
def test_a_runtime_prints_nothing_about_a_sound_model(
    runtime: str, tmp_path: Path, package_path: str
) -> None:
    model = tmp_path / 'model.tflite'
    # Of the old runtime only float models are fast.
    model.write_bytes(build_extractor('float32'))
    done = subprocess.run(
        [sys.executable, '-c', LOAD, runtime, str(model)],
        env={**os.environ, 'PYTHONPATH': package_path},
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stderr == 'the end'
    assert done.stdout == ''


def test_all_other_lines_are_printed(capfd: pytest.CaptureFixture[str]) -> None:
    with without_line(NOTICE):
        for line in (b'ERROR: something\n', NOTICE, b'and more'):
            os.write(2, line)
    os.write(2, b'!')
    assert capfd.readouterr().err == 'ERROR: something\nand more!'
