# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
"""Classifiers as extractors of the node, and the retrained files in a plain runtime."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from ai_edge_litert.interpreter import Interpreter
import numpy as np
import pytest
from support.robot_messages import classified_as
from support.running_node import image_message, Person, Picture, RunningNode, TAUGHT_IMAGES
from support.small_classifiers import build_classifier
from support.small_models import build_extractor, build_extractor_tree, pack

CASES = Path(__file__).parents[4] / 'shared' / 'cases'


def float_classifier() -> bytes:
    """Return a float classifier whose metadata states 0..1."""
    return build_classifier('float32', dimension=32, image_size=16, normalization=(0.0, 255.0))


def teachable_machine() -> bytes:
    return field_file('classifier_teachable_machine.tflite')


def with_metadata() -> bytes:
    return field_file('metadata_mean0_std255.tflite')


def field_file(name: str) -> bytes:
    if not (CASES / name).is_file():
        pytest.skip(f'{CASES / name} is not there')
    return (CASES / name).read_bytes()


def plain_scores(model: Path, picture: Picture) -> Any:
    """Return the scores of a model, as a script without this package computes them."""
    interpreter = Interpreter(str(model))
    interpreter.allocate_tensors()
    (image,) = interpreter.get_input_details()
    (scores,) = interpreter.get_output_details()
    pixels: Any = picture[np.newaxis]
    if image['dtype'] == np.float32:
        pixels = pixels.astype(np.float32) / np.float32(255)
    interpreter.set_tensor(image['index'], pixels)
    interpreter.invoke()
    scale, zero_point = scores['quantization']
    raw = interpreter.get_tensor(scores['index'])[0].astype(np.float32)
    return (raw - zero_point) * scale if scale else raw


@pytest.mark.parametrize('classifier', [float_classifier, teachable_machine, with_metadata])
def test_a_classifier_is_taught_trained_and_served(
    start_node: Any, person: Person, tmp_path: Path, classifier: Any
) -> None:
    file = tmp_path / 'classifier.tflite'
    file.write_bytes(classifier())
    interpreter = Interpreter(str(file))
    side = int(interpreter.get_input_details()[0]['shape'][1])
    rng = np.random.default_rng(2)
    blocks = rng.integers(0, 256, (2, 4, 4, 3), np.uint8)
    pictures = {
        label: block.repeat(side // 4, axis=0).repeat(side // 4, axis=1)
        for label, block in zip(('cat', 'dog'), blocks, strict=True)
    }
    node: RunningNode = start_node({'extractor': file})
    node.wait_for_log('the model is a classifier')
    camera = person.wait_until_ready().camera()
    person.teach_and_train(
        camera, {label: image_message(picture) for label, picture in pictures.items()}
    )
    model = tmp_path / 'data' / 'models' / 'model_000001.tflite'
    for label, picture in pictures.items():
        camera.show(image_message(picture))
        found = person.classifications.wait_for(
            classified_as(label), since=len(person.classifications)
        )
        published = {each.class_id: each.score for each in found.results}
        wanted = plain_scores(model, picture)
        # The node computes them in float, the file in 256 steps.
        assert published['cat'] == pytest.approx(wanted[0], abs=0.02)
        assert published['dog'] == pytest.approx(wanted[1], abs=0.02)


def test_parameters_without_an_effect_are_logged(start_node: Any, tmp_path: Path) -> None:
    file = tmp_path / 'extractor.tflite'
    file.write_bytes(build_extractor('uint8', dimension=32, image_size=16))
    node: RunningNode = start_node(
        {
            'extractor': file,
            'fallback_extractor': file,
            'input_range': '0..1',
            'input_size': '20x20',
        }
    )
    node.wait_for_log('input_range is not used: the input is of type uint8')
    node.wait_for_log('input_size is not used: the input has the size 16x16')
    node.wait_for_log('fallback_extractor is not used: the extractor is not compiled')


def test_what_is_chosen_for_an_extractor_is_chosen_for_its_twin(
    start_edgetpu: Any, tmp_path: Path
) -> None:
    tree = build_extractor_tree('uint8', dimension=16, image_size=16, rank=2)
    (graph,) = tree.subgraphs
    embedding = next(
        index for index, tensor in enumerate(graph.tensors) if tensor.name == 'embedding'
    )
    graph.outputs = [*graph.outputs, embedding]
    (tmp_path / 'compiled.tflite').write_bytes(pack(tree))
    node: RunningNode = start_edgetpu(model_output='embedding')
    node.wait_for_log(' runs on ')


def test_a_silent_float_model_is_refused_until_a_parameter_states_its_range(
    start_node: Any, person: Person, tmp_path: Path
) -> None:
    file = tmp_path / 'float.tflite'
    file.write_bytes(build_extractor('float32', dimension=32, image_size=16, normalization=None))
    with start_node({'extractor': file}) as node:
        node.wait_for_log('give it with input_range')
    with start_node({'extractor': file, 'input_range': '-1..1'}):
        person.teach_and_train(person.wait_until_ready().camera(), TAUGHT_IMAGES)
    # From here on the folder is as an earlier release left it, which always used -1..1.
    node = start_node({'extractor': file})
    node.wait_for_log('the input range stays -1..1')
    node.wait_for_log('model version 1 serves')
    node.wait_for_log('12 samples in')
