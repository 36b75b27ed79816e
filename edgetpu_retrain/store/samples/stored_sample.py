# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
"""StoredSample and StoredPicture: single samples as the store lists and hands them out."""

from __future__ import annotations

from dataclasses import dataclass
import sqlite3
from typing import NamedTuple

from edgetpu_retrain.errors import RequestError
from edgetpu_retrain.store.database.typed_rows import typed_rows

# A 50 megapixel photograph; what is larger is a mistake that would fill a robot's disk.
MAX_IMAGE_BYTES = 32 * 1024 * 1024

# Start of image, then the first byte of the next marker: ISO/IEC 10918-1, annex B.
_JPEG_START = b'\xff\xd8\xff'


@dataclass(frozen=True)
class StoredSample:
    """
    What is known of one sample, without its numbers and pixels.

    Args:
        sample_id: its number, from 1, never used again.
        label: class name.
        camera: name of the camera, '' when there was none.
        stamp_ns: stamp of the image in nanoseconds, 0 when it has none.
        has_image: whether its picture is stored.
        addition: id of the first sample of the same request.
        added_ns: when it was stored, nanoseconds since 1970; 0 in a store of the first release.
    """

    sample_id: int
    label: str
    camera: str
    stamp_ns: int
    has_image: bool
    addition: int
    added_ns: int


@dataclass(frozen=True)
class StoredPicture:
    """
    A sample's picture.

    Args:
        sample_id: number of the sample.
        label: its class name.
        jpeg: the file.
    """

    sample_id: int
    label: str
    jpeg: bytes


class Unembedded(NamedTuple):
    """How many samples have no embedding of an extractor."""

    samples: int
    """All of them."""
    with_image: int
    """Those whose picture is stored, so that they can be embedded again."""


def check_image(image: bytes) -> bytes:
    """
    Return a picture to be stored as it is, or refuse it.

    Raises:
        ValueError: when it is not a JPEG file.
        RequestError: when it is too large.
    """
    if not image.startswith(_JPEG_START):
        raise ValueError(f'image begins with {image[:4]!r}; it must be a JPEG file')
    if len(image) > MAX_IMAGE_BYTES:
        raise RequestError(
            f'The picture has {len(image)} bytes, of which at most {MAX_IMAGE_BYTES} are stored: '
            'set store_images to thumbnail or none, or send a smaller picture.'
        )
    return image


def count_classes(connection: sqlite3.Connection, extractor: str) -> dict[str, int]:
    """Return class name to number of samples, in the order in which they were first taught."""
    rows = connection.execute(
        """
        SELECT label, COUNT(*)
        FROM extractors
        JOIN embeddings ON extractor_id = extractors.id
        JOIN samples ON samples.id = sample_id
        WHERE identity = ?
        GROUP BY label
        ORDER BY MIN(samples.id)
        """,
        (extractor,),
    )
    return dict(typed_rows(rows, str, int))


def count_extractors(connection: sqlite3.Connection) -> dict[str, int]:
    """Return identity of extractor to number of samples, the one with the newest sample first."""
    rows = connection.execute(
        """
        SELECT identity, COUNT(*)
        FROM extractors JOIN embeddings ON extractor_id = extractors.id
        GROUP BY identity
        ORDER BY MAX(sample_id) DESC, identity
        """
    )
    return dict(typed_rows(rows, str, int))


def list_newest(
    connection: sqlite3.Connection, label: str, limit: int, extractor: str
) -> tuple[StoredSample, ...]:
    """Return the newest samples of a class ('' = of all), newest first; limit 0 = all."""
    rows = connection.execute(
        """
        SELECT samples.id, label, camera, stamp_ns,
            EXISTS (SELECT 1 FROM images WHERE images.sample_id = samples.id),
            addition, added_ns
        FROM extractors
        JOIN embeddings ON extractor_id = extractors.id
        JOIN samples ON samples.id = embeddings.sample_id
        WHERE identity = ?1 AND (label = ?2 OR ?2 = '')
        ORDER BY samples.id DESC
        LIMIT ?3
        """,
        (extractor, label, limit or -1),
    )
    return tuple(
        StoredSample(sample_id, name, camera, stamp_ns, bool(has_image), addition, added_ns)
        for sample_id, name, camera, stamp_ns, has_image, addition, added_ns in typed_rows(
            rows, int, str, str, int, int, int, int
        )
    )


# Samples that an extractor has not seen; ?1 is its identity.
_UNEMBEDDED = """
    NOT EXISTS (
        SELECT 1
        FROM extractors JOIN embeddings ON extractor_id = extractors.id
        WHERE identity = ?1 AND embeddings.sample_id = samples.id
    )
"""


def count_unembedded(connection: sqlite3.Connection, extractor: str) -> Unembedded:
    """Count the samples that have no embedding of an extractor."""
    return Unembedded(
        *connection.execute(
            f"""
            SELECT COUNT(*), COUNT(images.sample_id)
            FROM samples LEFT JOIN images ON images.sample_id = samples.id
            WHERE {_UNEMBEDDED}
            """,  # noqa: S608 - the constant above
            (extractor,),
        ).fetchone()
    )


def ids_to_reembed(connection: sqlite3.Connection, extractor: str) -> tuple[int, ...]:
    """Return the samples with a picture and no embedding of an extractor, oldest first."""
    rows = connection.execute(
        f"""
        SELECT samples.id
        FROM samples JOIN images ON images.sample_id = samples.id
        WHERE {_UNEMBEDDED}
        ORDER BY samples.id
        """,  # noqa: S608 - the constant above
        (extractor,),
    )
    return tuple(sample_id for (sample_id,) in typed_rows(rows, int))


def read_picture(connection: sqlite3.Connection, sample_id: int) -> StoredPicture | None:
    """Return the picture of a sample, None when it has none or is not there."""
    if not 0 < sample_id < 2**63:
        return None
    rows = connection.execute(
        """
        SELECT sample_id, label, jpeg
        FROM images JOIN samples ON samples.id = sample_id
        WHERE sample_id = ?
        """,
        (sample_id,),
    )
    row = next(typed_rows(rows, int, str, bytes), None)
    return None if row is None else StoredPicture(*row)
