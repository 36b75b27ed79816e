# Copyright 2026 edgetpu_retrain contributors
#
# Licensed under the Apache License, Version 2.0 (the "License");
# you may not use this file except in compliance with the License.
# You may obtain a copy of the License at
#
#     http://www.apache.org/licenses/LICENSE-2.0
#
# Unless required by applicable law or agreed to in writing, software
# distributed under the License is distributed on an "AS IS" BASIS,
# WITHOUT WARRANTIES OR CONDITIONS OF ANY KIND, either express or implied.
# See the License for the specific language governing permissions and
# limitations under the License.
"""The one thread that reads and writes samples for the node, so that no frame waits for a disk."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any, TypeVar

from edgetpu_retrain.model_file.description import ModelDescription
from edgetpu_retrain.node.captures import Capture, Captures
from edgetpu_retrain.node.compressed_image import decode_picture
from edgetpu_retrain.node.image_conversion import RgbArray
from edgetpu_retrain.node.newest_frames import Frame
from edgetpu_retrain.store.embedding_kind import RawArray
from edgetpu_retrain.store.samples import SampleStore

Answer = TypeVar('Answer')

NANOSECONDS = 1_000_000_000


def stamp_ns(header: Any) -> int:
    """Return the stamp of a ``std_msgs/Header`` in nanoseconds."""
    return int(header.stamp.sec) * NANOSECONDS + int(header.stamp.nanosec)


class SampleThread:
    """
    The samples of one extractor, handled in the order in which it is asked for.

    Args:
        store: where they are kept; is used by others, too, but closed by its owner.
        description: of the extractor whose embeddings they are.
    """

    def __init__(self, store: SampleStore, description: ModelDescription) -> None:
        self._store = store
        self._description = description
        self._thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix='samples')

    @property
    def extractor(self) -> str:
        """Identity of the extractor, the SHA-256 of its file."""
        return self._description.identity

    def close(self) -> None:
        """End when what was asked for is done."""
        self._thread.shutdown()

    def counts(self) -> Future[dict[str, int]]:
        """Count the samples of each class, in first-taught order."""
        return self._submit(lambda: self._store.counts(extractor=self.extractor))

    def remove(self, label: str, newest: int) -> Future[int]:
        """Remove samples, see :meth:`SampleStore.remove`; answers how many."""
        return self._submit(lambda: self._store.remove(label, newest, extractor=self.extractor))

    def add_captured(
        self, captures: Captures, capture: Capture, frame: Frame, embedding: RawArray
    ) -> None:
        """Store a claimed frame's raw embedding ``[D]`` and settle the claim."""

        def write() -> None:
            try:
                sample = self._add(
                    capture.label,
                    embedding,
                    frame.camera,
                    stamp_ns(frame.message.header),
                    capture.first_sample,
                )
            except Exception as error:  # noqa: BLE001 - the one who waits for it gets it
                captures.settle(capture, error)
            else:
                capture.first_sample = capture.first_sample or sample
                captures.settle(capture)

        self._submit(write)

    def add_picture(
        self,
        label: str,
        content: bytes,
        embed: Callable[[RgbArray], Future[RawArray]],
        *,
        camera: str,
        stamp_ns: int,
    ) -> Future[int]:
        """
        Store one picture that came with a request.

        Args:
            label: name of the class.
            content: a JPEG or PNG file.
            embed: asks the owner of the interpreter for the embedding.
            camera: where it is said to be from, '' = nowhere.
            stamp_ns: when, in nanoseconds; 0 = unknown.

        Returns:
            The id of the sample, or ImageError, or StoreError.
        """

        def write() -> int:
            embedding = embed(decode_picture(content)).result()
            return self._add(label, embedding, camera, stamp_ns, 0)

        return self._submit(write)

    def _add(
        self, label: str, embedding: RawArray, camera: str, stamp_ns: int, addition: int
    ) -> int:
        return self._store.add(
            label,
            embedding,
            extractor=self.extractor,
            quantization=self._description.quantization,
            camera=camera,
            stamp_ns=stamp_ns,
            addition=addition,
        )

    def _submit(self, function: Callable[[], Answer]) -> Future[Answer]:
        return self._thread.submit(function)
