# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
"""NewSample: one labelled sight of a thing, on its way into the store."""

from __future__ import annotations

from dataclasses import dataclass

from edgetpu_retrain.label import check_label
from edgetpu_retrain.store.samples.embedding_kind import RawArray
from edgetpu_retrain.store.samples.stored_sample import check_image


@dataclass(frozen=True, eq=False)
class NewSample:
    """
    What is to be stored of one sample.

    Args:
        label: class name.
        embedding: raw ``[D]`` of dtype uint8, int8 or float32.
        camera: name of the camera, '' when there was none.
        stamp_ns: stamp of the image in nanoseconds, 0 when it has none.
        image: what was embedded as a JPEG file, where it is to be kept.
        added_ns: when it was first stored, nanoseconds since 1970; 0 = now.
    """

    label: str
    embedding: RawArray
    camera: str = ''
    stamp_ns: int = 0
    image: bytes | None = None
    added_ns: int = 0

    def checked(self) -> NewSample:
        """
        Return this sample.

        Raises:
            RequestError: when the label is refused or the image is too large.
            ValueError: when another field is not what is said above.
        """
        check_label(self.label)
        for name in ('stamp_ns', 'added_ns'):
            if not -(2**63) <= getattr(self, name) < 2**63:
                raise ValueError(f'{name} is {getattr(self, name)}; it must fit 64 bits')
        if self.image is not None:
            check_image(self.image)
        return self
