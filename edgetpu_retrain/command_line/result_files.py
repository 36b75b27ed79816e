# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
"""Writes the results of classify as text, JSON lines, CSV and annotated pictures."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
import csv
from pathlib import Path
from typing import Any, IO, Protocol

from edgetpu_retrain.command_line.output import json_line, percent
from edgetpu_retrain.errors import RequestError
from edgetpu_retrain.pictures.annotation import annotated_jpeg, Annotation
from edgetpu_retrain.pictures.image_conversion import RgbArray
from edgetpu_retrain.recordings.recorded_picture import RecordedPicture
from edgetpu_retrain.runtime.models.recognizer import Recognized


class ResultWriter(Protocol):
    """Writes classifications, one picture after the other."""

    def write(self, picture: RecordedPicture, answer: Recognized) -> None:
        """Write a classification."""

    def write_fault(self, picture: RecordedPicture, reason: str) -> None:
        """Write that a picture could not be read, if the format has a place for it."""


class _Texts:
    """One line of text per picture."""

    def __init__(self, file: IO[str], _labels: Sequence[str], _version: int) -> None:
        self._file = file

    def write(self, picture: RecordedPicture, answer: Recognized) -> None:
        self._file.write(f'{picture.name}: {answer.label}, {percent(answer.score)}\n')

    def write_fault(self, picture: RecordedPicture, reason: str) -> None:
        """Do nothing: a warning reports it."""


class _JsonLines:
    """One JSON object per line, with the score of each class."""

    def __init__(self, file: IO[str], labels: Sequence[str], version: int) -> None:
        self._file = file
        self._labels = labels
        self._version = version

    def write(self, picture: RecordedPicture, answer: Recognized) -> None:
        scores = dict(zip(self._labels, map(float, answer.scores), strict=True))
        self._write(
            picture,
            label=answer.label,
            score=answer.score,
            unknown=answer.unknown,
            model_version=self._version,
            scores=scores,
        )

    def write_fault(self, picture: RecordedPicture, reason: str) -> None:
        self._write(picture, error=reason)

    def _write(self, picture: RecordedPicture, **fields: Any) -> None:
        where = {'picture': picture.name, 'camera': picture.camera, 'stamp_ns': picture.stamp_ns}
        self._file.write(f'{json_line(where | fields)}\n')


class _Csv:
    """One row per picture, after a header row."""

    HEAD = ('picture', 'camera', 'stamp_ns', 'label', 'score', 'unknown', 'model_version', 'error')

    def __init__(self, file: IO[str], _labels: Sequence[str], version: int) -> None:
        self._writer = csv.writer(file, lineterminator='\n')
        self._writer.writerow(self.HEAD)
        self._version = version

    def write(self, picture: RecordedPicture, answer: Recognized) -> None:
        unknown = str(answer.unknown).lower()
        score = f'{answer.score:.6f}'
        self._write(picture, answer.label, score, unknown, self._version, '')

    def write_fault(self, picture: RecordedPicture, reason: str) -> None:
        self._write(picture, '', '', '', self._version, reason)

    def _write(self, picture: RecordedPicture, *fields: object) -> None:
        self._writer.writerow((picture.name, picture.camera, picture.stamp_ns, *fields))


FORMS: Mapping[str, Callable[[IO[str], Sequence[str], int], ResultWriter]] = {
    'text': _Texts,
    'jsonl': _JsonLines,
    'csv': _Csv,
}
"""Writers by format; each takes a file, the model's labels and its version."""


class AnnotatedFiles:
    """
    A folder of numbered pictures, each with its classification below.

    Args:
        folder: created if needed; an existing folder must be empty.
        version: version of the model, 0 = not a version of the data folder.

    Raises:
        RequestError: if the folder cannot be used.
    """

    def __init__(self, folder: Path, version: int) -> None:
        try:
            folder.mkdir(parents=True, exist_ok=True)
            empty = not any(folder.iterdir())
        except OSError as error:
            raise RequestError(
                f'{folder} cannot be used for annotated pictures ({error.strerror}): give another '
                'folder'
            ) from error
        if not empty:
            raise RequestError(f'{folder} is not empty: give a folder that is new or empty')
        self._folder = folder
        self._version = version
        self._number = 0

    def write(self, rgb: RgbArray, answer: Recognized) -> None:
        """
        Write one picture, uint8 ``[H, W, 3]``, and its classification.

        Raises:
            OSError: if writing fails.
        """
        self._number += 1
        annotation = Annotation(answer.label, answer.score, answer.unknown, self._version)
        path = self._folder / f'{self._number:06d}.jpg'
        path.write_bytes(annotated_jpeg(rgb, annotation))
