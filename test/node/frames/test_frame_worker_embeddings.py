# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
"""A worker captures, embeds and cuts regions."""

from __future__ import annotations

from dataclasses import replace
from types import SimpleNamespace

import cv2
from edgetpu_retrain.errors import ImageError
from edgetpu_retrain.node.cameras.image_transport import COMPRESSED
from edgetpu_retrain.pictures.lazy_picture import LazyPicture
from edgetpu_retrain.pictures.region import Region
from edgetpu_retrain.runtime.models.extractor import Extractor
import numpy as np
import pytest
from support.frame_worker_bench import (
    expected_embedding,
    EXTRACTOR,
    frame,
    PATIENCE_S,
    PICTURE,
    WorkerBench,
)


def test_classification_and_captures_share_an_inference(trained: WorkerBench) -> None:
    first, second = trained.ask(), trained.ask(camera='front')
    sent = frame()
    trained.worker.offer(sent)
    assert trained.output.classifications.get(timeout=PATIENCE_S)[0] is sent
    for capture in (first, second):
        claimed, captured, embedding = trained.samples.captured.get(timeout=PATIENCE_S)
        assert claimed is capture
        assert captured is sent
        np.testing.assert_array_equal(embedding, expected_embedding())


def test_before_the_first_training_frames_are_only_captured(untrained: WorkerBench) -> None:
    untrained.worker.offer(frame(arrived=1.0))
    capture = untrained.ask(since=2.0)
    untrained.worker.offer(frame(arrived=3.0))
    claimed, captured, embedding = untrained.samples.captured.get(timeout=PATIENCE_S)
    assert claimed is capture
    assert captured.arrived == 3.0
    np.testing.assert_array_equal(embedding, expected_embedding())
    assert untrained.output.classifications.empty()


def test_a_picture_is_embedded_between_frames(
    untrained: WorkerBench, trained: WorkerBench
) -> None:
    for bench in (untrained, trained):
        embedding = bench.worker.embed(PICTURE).result(timeout=PATIENCE_S)
        np.testing.assert_array_equal(embedding, expected_embedding())


def test_a_malformed_frame_is_logged_before_training(untrained: WorkerBench) -> None:
    untrained.worker.offer(frame(data=b''))
    assert isinstance(untrained.output.faults.get(timeout=PATIENCE_S)[1], ImageError)


def test_embeddings_are_published_only_while_somebody_subscribes(
    untrained: WorkerBench, trained: WorkerBench
) -> None:
    for bench in (untrained, trained):
        bench.worker.offer(frame())
        assert bench.worker.wait_until_idle(PATIENCE_S)
        assert bench.output.embeddings.empty()
        bench.output.listens = True
        sent = frame(arrived=2.0)
        bench.worker.offer(sent)
        embedded, embedding = bench.output.embeddings.get(timeout=PATIENCE_S)
        assert embedded is sent
        np.testing.assert_array_equal(embedding, expected_embedding())


def test_a_jpeg_is_decoded_as_for_a_file(untrained: WorkerBench) -> None:
    photograph = np.asarray(cv2.resize(PICTURE, (101, 83)), np.uint8)
    content = cv2.imencode('.jpg', photograph)[1].tobytes()
    message = SimpleNamespace(format='jpeg', data=content, header=SimpleNamespace(frame_id=''))
    file, extractor = LazyPicture.from_file(content), Extractor(EXTRACTOR)
    untrained.output.listens = True
    for camera_region, region in ((None, None), (Region(10, 20, 70, 50), Region(3, 5, 64, 33))):
        untrained.ask(region=region)
        sent = replace(frame(), transport=COMPRESSED, message=message, region=camera_region)
        untrained.worker.offer(sent)
        for name, part, embedding in (
            ('live', camera_region, untrained.output.embeddings.get(timeout=PATIENCE_S)[1]),
            ('sample', region, untrained.samples.captured.get(timeout=PATIENCE_S)[2]),
        ):
            seen = file.for_model(extractor.description.input_side, part)
            assert seen.shape[0] < 50, 'it is reduced'
            np.testing.assert_array_equal(embedding, extractor.embed(seen), name)
        assert not sent.picture.whole_bytes


def test_a_region_is_embedded_instead_of_the_whole(trained: WorkerBench) -> None:
    region = Region(2, 1, 6, 5)
    trained.ask(region=region)
    trained.worker.offer(frame())
    _, _, embedding = trained.samples.captured.get(timeout=PATIENCE_S)
    cut = PICTURE[1:6, 2:8]
    np.testing.assert_array_equal(embedding, Extractor(EXTRACTOR).embed(cut))
    np.testing.assert_array_equal(trained.samples.pictures[0], cut)


def test_a_region_beyond_the_image_fails_the_capture_and_not_the_frame(
    trained: WorkerBench,
) -> None:
    capture = trained.ask(region=Region(5, 0, 10, 1))
    trained.worker.offer(frame())
    assert trained.output.classifications.get(timeout=PATIENCE_S)
    with pytest.raises(ImageError, match=r'10x1\+5\+0 reaches beyond the image of 10x12'):
        capture.done.result(PATIENCE_S)


def test_a_capture_can_have_another_region_than_the_camera(trained: WorkerBench) -> None:
    whole = Region(0, 0, 10, 12)
    trained.ask(region=whole)
    trained.worker.offer(replace(frame(), region=Region(2, 1, 6, 5)))
    # RecordedOutput.publish_classification compares with what the camera's region embeds to.
    assert trained.output.classifications.get(timeout=PATIENCE_S)
    _, _, embedding = trained.samples.captured.get(timeout=PATIENCE_S)
    np.testing.assert_array_equal(embedding, expected_embedding())


def test_a_region_beyond_the_image_makes_it_unusable(trained: WorkerBench) -> None:
    trained.worker.offer(replace(frame(), region=Region(8, 0, 3, 3)))
    _, error = trained.output.faults.get(timeout=PATIENCE_S)
    assert 'reaches beyond the image of 10x12 pixels' in str(error)
