# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
"""Encodings are in test_image_conversion, formats in test_compressed_image."""

from __future__ import annotations

from edgetpu_retrain.pictures.unsupported import (
    unsupported_file,
    unsupported_format,
    unsupported_type,
)
import pytest


@pytest.mark.parametrize(
    ('begin', 'name'),
    [
        (b'II*\0', 'TIFF'),
        (b'MM\0*', 'TIFF'),
        (b'GIF89a', 'GIF'),
        (b'GIF87a', 'GIF'),
        (b'BM\x36\0', 'BMP'),
        (b'\0\0\0\x20ftypavif', 'AVIF'),
        (b'\0\0\0\x20ftypheic', 'HEIC'),
        (b'\0\0\0\x20ftypisom', 'MP4 or MOV'),
        (b'\0\0\0\x0cjP  \r\n\x87\n', 'JPEG 2000'),
        (b'8BPS\0\x01', 'PSD'),
    ],
)
def test_other_files_are_named(begin: bytes, name: str) -> None:
    reason = unsupported_file(begin + bytes(100))
    assert f'is a file of {name}: save or send it as JPEG, PNG or WEBP' in reason


def test_a_pointer_of_git_lfs_is_named() -> None:
    pointer = b'version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 9\n'
    assert "only a pointer of Git LFS: fetch it by 'git lfs pull'" in unsupported_file(pointer)


@pytest.mark.parametrize('begin', [b'\0\0\0\x01\x67', b'\0\0\x01\x67'])
def test_a_packet_of_a_video_is_named(begin: bytes) -> None:
    assert 'packet of a video (H.264 or H.265)' in unsupported_file(begin + bytes(100))


@pytest.mark.parametrize(
    'text', ['', 'jpeg', 'rgb8; jpeg compressed bgr8', 'mono16; png compressed ', 'webp']
)
def test_formats_of_pictures_are_taken(text: str) -> None:
    assert unsupported_format(text) == ''


@pytest.mark.parametrize('text', ['h264', 'HEVC', 'h265', 'av1'])
def test_formats_of_videos_are_named(text: str) -> None:
    reason = unsupported_format(text)
    assert f'format {text!r} is a packet of a video ({text})' in reason
    assert 'image_transport republish' in reason


def test_types_of_videos_are_named() -> None:
    assert 'video (ffmpeg)' in unsupported_type('ffmpeg_image_transport_msgs/msg/FFMPEGPacket')
    assert unsupported_type('std_msgs/msg/String') == ''
