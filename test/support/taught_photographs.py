# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
"""A data folder with samples of the demo's photographs and with models, made without a node."""

from __future__ import annotations

from collections.abc import Mapping
import itertools
from pathlib import Path
import subprocess
import sys

import cv2
from edgetpu_retrain.demo.scenes import play, teaching_scene

FRAMES_A_GLANCE = 5
_SEED = 7


def teach_photographs(
    folder: Path, python_path: str, counts: Mapping[str, int], versions: int = 1
) -> Path:
    """
    Make a data folder as the command line does, and return it.

    Args:
        folder: an existing folder for the pictures and the data folder.
        python_path: PYTHONPATH of the command line.
        counts: number of samples of each subject, whose name is also the label.
        versions: how many models to train.
    """
    data = folder / 'data'
    for subject, count in counts.items():
        pictures = folder / 'pictures' / subject
        pictures.mkdir(parents=True)
        frames = itertools.islice(play(teaching_scene(subject), _SEED), count)
        for number, frame in enumerate(frames):
            glance = pictures / f'glance_{number // FRAMES_A_GLANCE}'
            glance.mkdir(exist_ok=True)
            cv2.imwrite(str(glance / f'{number}.jpg'), frame.picture[:, :, ::-1])
    # Every frame becomes a sample, also those that are like others.
    _run(python_path, 'teach', folder / 'pictures', '--min-novelty', '-1', '--data-dir', data)
    for seed in range(versions):
        _run(python_path, 'train', '--seed', seed, '--data-dir', data)
    return data


def _run(python_path: str, *arguments: object) -> None:
    words = [str(each) for each in arguments]
    command = [sys.executable, '-m', 'edgetpu_retrain', *words]
    done = subprocess.run(
        command, env={'PYTHONPATH': python_path}, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
