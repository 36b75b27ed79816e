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
"""Reading ahead: the next pictures are decoded while the present one is worked on."""

from __future__ import annotations

from collections import deque
from collections.abc import Generator, Iterable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import NamedTuple

from edgetpu_retrain.errors import ImageError
from edgetpu_retrain.pictures.image_conversion import RgbArray
from edgetpu_retrain.recordings.recorded_picture import RecordedPicture

AHEAD = 4
"""Pictures in memory besides the one that is worked on."""


class PictureRead(NamedTuple):
    """What came of reading a picture."""

    picture: RecordedPicture
    rgb: RgbArray | None
    """uint8 ``[H, W, 3]``, None when it could not be read."""
    fault: str
    """Why not, '' when it was read."""


def read_ahead(
    pictures: Iterable[RecordedPicture], ahead: int = AHEAD
) -> Generator[PictureRead, None, None]:
    """
    Read pictures in their order, a few of them ahead in a thread of its own.

    A picture that cannot be read is handed on with the reason; the others go on.

    Args:
        pictures: gone through in the caller's thread.
        ahead: how many are held ready.

    Raises:
        RecordingError: what ``pictures`` raises, after all that came before was handed on.
    """
    waiting: deque[tuple[RecordedPicture, Future[RgbArray]]] = deque()
    failure: Exception | None = None
    with ThreadPoolExecutor(max_workers=1, thread_name_prefix='pictures') as thread:
        try:
            source = iter(pictures)
            while True:
                try:
                    picture = next(source)
                except StopIteration:
                    break
                except Exception as error:  # noqa: BLE001 - raised below, when its turn comes
                    failure = error
                    break
                waiting.append((picture, thread.submit(picture.read)))
                if len(waiting) > ahead:
                    yield _finished(*waiting.popleft())
            while waiting:
                yield _finished(*waiting.popleft())
        finally:
            for _, future in waiting:
                future.cancel()
    if failure is not None:
        raise failure


def _finished(picture: RecordedPicture, future: Future[RgbArray]) -> PictureRead:
    try:
        return PictureRead(picture, future.result(), '')
    except ImageError as error:
        return PictureRead(picture, None, str(error))
