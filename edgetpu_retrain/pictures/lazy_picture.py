# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
"""LazyPicture: a picture that is decoded when it is needed, at a reduced size if possible."""

from __future__ import annotations

from collections.abc import Callable
from functools import cached_property

from edgetpu_retrain.pictures.compressed_image import (
    CompressedImageMessage,
    content_of,
    decode_picture,
    decode_reduced,
)
from edgetpu_retrain.pictures.image_conversion import image_to_rgb, ImageMessage
from edgetpu_retrain.pictures.picture_source import PictureSource
from edgetpu_retrain.pictures.pixels import RgbArray
from edgetpu_retrain.pictures.region import Region


class LazyPicture:
    """
    A picture that is decoded when it is needed, and for a model at a reduced size if possible.

    Args:
        decode: returns the whole picture, uint8 ``[H, W, 3]`` RGB, or raises ImageError.
        decode_reduced: returns a region at a reduced size, or None to use ``decode`` instead; the
            arguments are the region (None = the whole picture) and the longer side of a model's
            input, pixels.  See
            :func:`~edgetpu_retrain.pictures.compressed_image.decode_reduced`.
    """

    def __init__(
        self,
        decode: Callable[[], RgbArray],
        decode_reduced: Callable[[Region | None, int], RgbArray | None] = lambda *_: None,
    ) -> None:
        self._decode = decode
        self._decode_reduced = decode_reduced

    @classmethod
    def from_file(cls, content: bytes, source: PictureSource | None = None) -> LazyPicture:
        """
        Return the picture in a JPEG, PNG or WEBP file.

        Args:
            content: bytes of the file.
            source: the options for decoding; None uses the defaults.
        """
        return cls(
            lambda: decode_picture(content, source),
            lambda region, side: decode_reduced(content, region, side),
        )

    @classmethod
    def from_compressed_image(
        cls, message: CompressedImageMessage, source: PictureSource | None = None
    ) -> LazyPicture:
        """Return the picture in a ``sensor_msgs/CompressedImage``; see :meth:`from_file`."""
        return cls(
            lambda: decode_picture(content_of(message), source),
            lambda region, side: decode_reduced(content_of(message), region, side),
        )

    @classmethod
    def from_image(cls, message: ImageMessage, source: PictureSource | None = None) -> LazyPicture:
        """Return the picture in a ``sensor_msgs/Image``; see :meth:`from_file`."""
        return cls(lambda: image_to_rgb(message, source))

    @cached_property
    def whole(self) -> RgbArray:
        """The whole picture, uint8 ``[H, W, 3]`` RGB; reading it may raise ImageError."""
        return self._decode()

    @property
    def whole_bytes(self) -> int:
        """Memory of the whole picture, bytes; 0 before ``whole`` is read."""
        return self.whole.nbytes if 'whole' in vars(self) else 0

    def part(self, region: Region | None) -> RgbArray:
        """
        Return a part of the picture in full size, as a view.

        Args:
            region: in pixels of the whole picture; None = all of it.

        Returns:
            uint8 ``[height, width, 3]`` RGB.

        Raises:
            ImageError: if the picture cannot be decoded, or the region reaches beyond it.
        """
        return self.whole if region is None else region.cut(self.whole)

    def for_model(self, side: int, region: Region | None = None) -> RgbArray:
        """
        Return a part of the picture for a model, at a reduced size if possible.

        For speed, a JPEG file is decoded at a half, a quarter or an eighth of its size if the part
        then still has at least ``side`` pixels in width and height.

        Args:
            side: the longer side of the model's input, in pixels.
            region: in pixels of the whole picture; None = all of it.

        Returns:
            uint8 ``[H, W, 3]`` RGB, still to be resized to the model's input.

        Raises:
            ImageError: if the picture cannot be decoded, or the region reaches beyond it.
        """
        reduced = self._decode_reduced(region, side)
        return self.part(region) if reduced is None else reduced
