# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
"""A worker captures, embeds and cuts regions."""

from __future__ import annotations

from dataclasses import replace

from edgetpu_retrain.errors import ImageError
from edgetpu_retrain.pictures.region import Region
from edgetpu_retrain.runtime.models.extractor import Extractor
import numpy as np
from support.frame_worker_bench import (
    expected_embedding,
    EXTRACTOR,
    frame,
    PATIENCE_S,
    PICTURE,
    WorkerBench,
)


def test_classification_and_captures_share_a_pass(trained: WorkerBench) -> None:
    first, second = trained.ask(), trained.ask(camera='front')
    sent = frame()
    trained.worker.offer(sent)
    assert trained.events.classifications.get(timeout=PATIENCE_S)[0] is sent
    for capture in (first, second):
        told, told_frame, embedding = trained.events.captures.get(timeout=PATIENCE_S)
        assert told is capture
        assert told_frame is sent
        np.testing.assert_array_equal(embedding, expected_embedding())


def test_before_the_first_training_frames_are_only_captured(untrained: WorkerBench) -> None:
    untrained.worker.offer(frame(arrived=1.0))
    capture = untrained.ask(since=2.0)
    untrained.worker.offer(frame(arrived=3.0))
    told, told_frame, embedding = untrained.events.captures.get(timeout=PATIENCE_S)
    assert told is capture
    assert told_frame.arrived == 3.0
    np.testing.assert_array_equal(embedding, expected_embedding())
    assert untrained.events.classifications.empty()


def test_a_picture_is_embedded_between_frames(
    untrained: WorkerBench, trained: WorkerBench
) -> None:
    for bench in (untrained, trained):
        embedding = bench.worker.embed(PICTURE).result(timeout=PATIENCE_S)
        np.testing.assert_array_equal(embedding, expected_embedding())


def test_a_broken_frame_is_told_though_nobody_wants_its_embedding(untrained: WorkerBench) -> None:
    untrained.worker.offer(frame(data=b''))
    assert isinstance(untrained.events.faults.get(timeout=PATIENCE_S)[1], ImageError)


def test_embeddings_are_told_only_while_somebody_listens(
    untrained: WorkerBench, trained: WorkerBench
) -> None:
    for bench in (untrained, trained):
        bench.worker.offer(frame())
        bench.worker.embed(PICTURE).result(timeout=PATIENCE_S)
        assert bench.events.embeddings.empty()
        bench.events.listens = True
        sent = frame(arrived=2.0)
        bench.worker.offer(sent)
        told, embedding = bench.events.embeddings.get(timeout=PATIENCE_S)
        assert told is sent
        np.testing.assert_array_equal(embedding, expected_embedding())


def test_a_region_is_embedded_instead_of_the_whole(trained: WorkerBench) -> None:
    region = Region(2, 1, 6, 5)
    trained.ask(region=region)
    trained.worker.offer(frame())
    _, _, embedding = trained.events.captures.get(timeout=PATIENCE_S)
    cut = PICTURE[1:6, 2:8]
    np.testing.assert_array_equal(embedding, Extractor(EXTRACTOR).embed(cut))
    np.testing.assert_array_equal(trained.events.pictures[0], cut)


def test_a_region_beyond_the_image_is_told_and_the_frame_still_answered(
    trained: WorkerBench,
) -> None:
    capture = trained.ask(region=Region(5, 0, 10, 1))
    trained.worker.offer(frame())
    assert trained.events.classifications.get(timeout=PATIENCE_S)
    told, error = trained.events.refusals.get(timeout=PATIENCE_S)
    assert told is capture
    assert 'region of interest 10x1+5+0 reaches beyond the image of 10x12' in str(error)


def test_a_camera_is_used_for_its_region_and_taught_another(trained: WorkerBench) -> None:
    whole = Region(0, 0, 10, 12)
    trained.ask(region=whole)
    trained.worker.offer(replace(frame(), region=Region(2, 1, 6, 5)))
    # RecordedEvents.classified compares with what the camera's region embeds to.
    assert trained.events.classifications.get(timeout=PATIENCE_S)
    _, _, embedding = trained.events.captures.get(timeout=PATIENCE_S)
    np.testing.assert_array_equal(embedding, expected_embedding())


def test_a_region_beyond_the_image_makes_it_unusable(trained: WorkerBench) -> None:
    trained.worker.offer(replace(frame(), region=Region(8, 0, 3, 3)))
    _, error = trained.events.faults.get(timeout=PATIENCE_S)
    assert 'reaches beyond the image of 10x12 pixels' in str(error)
