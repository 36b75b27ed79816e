# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
"""How a demo's teacher ends."""

from __future__ import annotations

from edgetpu_retrain.client import RetrainClientError
from edgetpu_retrain.demo.stage import StageError
from edgetpu_retrain.demo.teaching_program import run_with_ros
import pytest


@pytest.mark.parametrize('error', [RetrainClientError('it is full.'), StageError('it is full')])
def test_an_error_is_one_sentence(error: Exception, capsys: pytest.CaptureFixture[str]) -> None:
    def teach() -> None:
        raise error

    assert run_with_ros(teach) == 1
    assert capsys.readouterr().err == 'The demonstration stopped: it is full.\n'
