# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
"""Reads model files from disk."""

from __future__ import annotations

from pathlib import Path

from edgetpu_retrain.errors import ModelFileError
from edgetpu_retrain.model_file.flatbuffer import IDENTIFIER

# Flatbuffers are smaller than this, in bytes: some of their offsets are signed 32-bit numbers.
_MAX_SIZE = 2**31


def read_model(path: str | Path) -> bytes:
    """
    Return the bytes of a .tflite file.

    Args:
        path: the file; ``~`` is expanded to the home directory.

    Raises:
        FileNotFoundError: if there is no such file.
        ModelFileError: if the file cannot be read or is not a TensorFlow Lite model.
    """
    try:
        file = Path(path).expanduser()
        if file.exists() and not file.is_file():
            raise ModelFileError(f'{str(file)!r} is not a file; give the path of a .tflite file')
        size = file.stat().st_size
        if size >= _MAX_SIZE:
            raise ModelFileError(
                f'{str(file)!r} has {size} bytes; TensorFlow Lite models have less than 2 GiB'
            )
        model = file.read_bytes()
    except FileNotFoundError:
        raise FileNotFoundError(f'there is no model file {str(file)!r}; check the path') from None
    except ModelFileError:
        raise
    except (OSError, RuntimeError, ValueError) as error:
        # pathlib raises RuntimeError if it cannot determine the home directory, and ValueError
        # for a NUL character.
        raise ModelFileError(f'the model file {str(path)!r} cannot be read: {error}') from error
    if model[4:8] != IDENTIFIER:
        raise ModelFileError(
            f'{str(file)!r} is not a TensorFlow Lite model: its {len(model)} bytes lack the '
            f"mark 'TFL3' at byte 4; give a .tflite file"
        )
    return model
