# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
"""Explains why data is not a supported picture, and what to use instead."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
import re

from edgetpu_retrain.wording import quoted

_DEPTH = (
    'depth (distances), not a picture: subscribe to a colour, grey or infrared image of the '
    'camera, such as {topic}'
)
_VIDEO = (
    'a packet of a video ({codec}), which cannot be decoded alone: subscribe to the raw or JPEG '
    "images of the camera, or decode the video with 'ros2 run image_transport republish'"
)
_CODECS = 'h264|h.264|avc|h265|h.265|hevc|vp8|vp9|av1|theora|ffmpeg'

_DEPTH_ENCODING = re.compile(r'16[us]c1|32fc1|64fc1|z16', re.IGNORECASE)
_ARRAY_ENCODING = re.compile(r'\d{1,2}[usf]c\d{1,2}', re.IGNORECASE)
_VIDEO_ENCODING = re.compile(_CODECS, re.IGNORECASE)
_FILE_ENCODING = re.compile(r'm?jpe?g|png|webp', re.IGNORECASE)

# The first bytes of files that are not supported, as regular expressions, and their formats.
_FILES: tuple[tuple[bytes, str], ...] = (
    (rb'II\*\0|MM\0\*|II\+\0|MM\0\+', 'TIFF'),
    (rb'GIF8', 'GIF'),
    (rb'BM', 'BMP'),
    (rb'....ftyp(?:avif|avis)', 'AVIF'),
    (rb'....ftyp(?:hei|hev|mif1|msf1)', 'HEIC'),
    (rb'....ftyp', 'MP4 or MOV'),
    (rb'\0\0\0\x0cjP  |\xff\x4f\xff\x51', 'JPEG 2000'),
    (rb'\0\0\0\x0cJXL |\xff\x0a', 'JPEG XL'),
    (rb'8BPS', 'PSD'),
    (rb'%PDF', 'PDF'),
)
_GIT_LFS_START = b'version https://git-lfs'
_VIDEO_START = re.compile(rb'\0?\0\0\x01[^\0]')

_VIDEO_TYPES: Mapping[str, str] = {
    'ffmpeg_image_transport_msgs/msg/FFMPEGPacket': 'ffmpeg',
    'foxglove_msgs/msg/CompressedVideo': 'H.264 or H.265',
    'theora_image_transport/msg/Packet': 'theora',
}


def is_no_picture(encoding: str) -> bool:
    """Return whether an encoding is empty, or one of depth, video, files or arrays of numbers."""
    kinds = (_DEPTH_ENCODING, _VIDEO_ENCODING, _FILE_ENCODING, _ARRAY_ENCODING)
    return not encoding or any(kind.fullmatch(encoding) for kind in kinds)


def unsupported_encoding(encoding: str, supported: Sequence[str]) -> str:
    """
    Return why an image with this encoding cannot be converted.

    Args:
        encoding: the ``encoding`` of a ``sensor_msgs/Image``, untrusted.
        supported: the encodings that can be converted.
    """
    what = f'encoding {quoted(encoding)} is'
    if _DEPTH_ENCODING.fullmatch(encoding):
        depth = _DEPTH.format(topic='/camera/color/image_raw')
        return f'{what} {depth}; a grey picture of 16 bits has the encoding mono16'
    if _VIDEO_ENCODING.fullmatch(encoding):
        return f'{what} {_VIDEO.format(codec=encoding)}'
    if _FILE_ENCODING.fullmatch(encoding):
        return (
            f'{what} a picture file, which belongs into a sensor_msgs/CompressedImage: make the '
            'camera publish one, and set image_transport to compressed'
        )
    if _ARRAY_ENCODING.fullmatch(encoding):
        what += ' an array of numbers and'
    return f'{what} none of {", ".join(supported)}: make the camera send one of these'


def unsupported_format(text: str) -> str:
    """
    Return why a ``sensor_msgs/CompressedImage`` is not a picture; ``''`` if it may be one.

    Args:
        text: its ``format``, such as ``bgr8; jpeg compressed bgr8``, untrusted
            (https://github.com/ros-perception/image_transport_plugins).
    """
    encoding = text.partition(';')[0].strip()
    if 'compresseddepth' in text.lower() or _DEPTH_ENCODING.fullmatch(encoding):
        depth = _DEPTH.format(topic='/camera/color/image_raw/compressed')
        return f'format {quoted(text)} is {depth}'
    if _VIDEO_ENCODING.fullmatch(encoding):
        return f'format {quoted(text)} is {_VIDEO.format(codec=encoding)}'
    return ''


def unsupported_file(content: bytes) -> str:
    """Return why a file that is neither JPEG, PNG nor WEBP is not decoded."""
    begin = content[:16]
    size = f'({len(content)} bytes)'
    for start, name in _FILES:
        if re.match(start, begin, re.DOTALL):
            return f'the picture {size} is a file of {name}: save or send it as JPEG, PNG or WEBP'
    if content.startswith(_GIT_LFS_START):
        return f"the picture {size} is only a pointer of Git LFS: fetch it by 'git lfs pull'"
    if _VIDEO_START.match(begin):
        return f'the picture {size} is {_VIDEO.format(codec="H.264 or H.265")}'
    return (
        f'the picture ({len(content)} bytes, beginning with {content[:4].hex(" ") or "nothing"}) '
        'is neither JPEG, PNG nor WEBP: send one of these'
    )


def unsupported_type(message_type: str) -> str:
    """Describe the contents of a message type for video packets; return '' for other types."""
    codec = _VIDEO_TYPES.get(message_type)
    return _VIDEO.format(codec=codec) if codec else ''
