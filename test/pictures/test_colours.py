# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import cv2
from edgetpu_retrain.pictures.colours import convert_colours
import numpy as np
import pytest


@pytest.mark.parametrize('size', [(1, 1), (1, 2), (2, 1), (3, 5)])
def test_pictures_of_every_size_change_their_colours(size: tuple[int, int]) -> None:
    rgb = np.random.default_rng(0).integers(0, 256, (*size, 3), np.uint8)
    np.testing.assert_array_equal(convert_colours(rgb, cv2.COLOR_BGR2RGB), rgb[..., ::-1])
