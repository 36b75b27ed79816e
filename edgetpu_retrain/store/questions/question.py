# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
"""The types of questions: frames, and samples of the fleet, that a user is to label."""

from __future__ import annotations

from dataclasses import dataclass
import json
import math
from typing import Any, Literal, NamedTuple

from edgetpu_retrain.store.samples.embedding_kind import RawArray

QuestionKind = Literal['unknown', 'margin', 'conflict', 'proposal', 'disagreement']
"""
Why a question is asked.

A frame matches no class ('unknown') or two classes ('margin'), or is a near copy of a sample with
another label ('conflict').  A sample of the fleet has only a label from robots that may not teach
('proposal'), or robots that may teach claim different labels ('disagreement').
"""

FLEET_KINDS: tuple[QuestionKind, ...] = ('proposal', 'disagreement')
"""The kinds of questions about samples of the fleet."""

MAX_GIVEN = 3
"""Maximum number of classes in the classification that is stored with a question."""


class Given(NamedTuple):
    """A class of a published classification, or a label that robots claim, with its score."""

    label: str
    score: float
    """0 to 1; of claims: the share of the robots that claim the label."""


@dataclass(frozen=True, eq=False)
class Question:
    """
    A frame, or a sample of the fleet, to be stored as a question.

    Args:
        kind: the reason for the question; None = no reason was found so far.
        camera: name of the camera; of a sample of the fleet, see
            :func:`~edgetpu_retrain.store.questions.fleet_questions.claimants_text`.
        stamp_ns: stamp of the image, nanoseconds; 0 = none.
        given: the published classification, or the claimed labels, best first; only the first
            :data:`MAX_GIVEN` are stored.
        model_version: version of the model that classified the frame; 0 = none.
        embedding: raw embedding ``[D]``, uint8, int8 or float32.
        image: bytes of a JPEG file with the picture; None = store no picture.
    """

    kind: QuestionKind | None
    camera: str
    stamp_ns: int
    given: tuple[Given, ...]
    model_version: int
    embedding: RawArray
    image: bytes | None = None


@dataclass(frozen=True)
class StoredQuestion:
    """
    An open question, without its embedding and picture.

    Args:
        question_id: id of the question, from 1; ids are never reused.
        kind: the reason for the question, a :data:`QuestionKind`.
        camera: name of the camera; of a sample of the fleet, the robots that claim a label.
        stamp_ns: stamp of the image, nanoseconds; 0 = none.
        asked_ns: when the question was stored, nanoseconds since 1970.
        given: the classification that was published for the frame, or the claimed labels, best
            first.
        model_version: version of the model that classified the frame; 0 = none.
        has_image: whether a picture is stored.
    """

    question_id: int
    kind: str
    camera: str
    stamp_ns: int
    asked_ns: int
    given: tuple[Given, ...]
    model_version: int
    has_image: bool


def given_to_json(given: tuple[Given, ...]) -> str:
    """Return the JSON text to store for a classification, with its first MAX_GIVEN classes."""
    return json.dumps(given[:MAX_GIVEN], ensure_ascii=False)


def given_from_json(text: str) -> tuple[Given, ...]:
    """
    Return a stored classification.

    Raises:
        ValueError: if the text is not the JSON text of a classification.
    """
    try:
        values: Any = json.loads(text)
        given = tuple(Given(str(label), float(score)) for label, score in values)
    except (TypeError, OverflowError, RecursionError) as error:
        raise ValueError(str(error)) from error
    if (
        not isinstance(values, list)
        or len(given) > MAX_GIVEN
        or not all(math.isfinite(each.score) for each in given)
    ):
        raise ValueError(f'{text!a:.60} is no classification')
    return given
