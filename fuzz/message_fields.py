# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
"""
Messages made of bytes: fields drawn one after the other, so that mutations of bytes stay messages.

The same description of a message draws it from any bytes (:class:`ReadFields`) and writes the
bytes of an example (:class:`WrittenFields`), which is a seed.
"""

from __future__ import annotations

import struct
from typing import Protocol


class Fields(Protocol):
    """A source of field values for a message; each call gets an example."""

    def whole(self, bits: int, example: int, /) -> int:
        """Return a whole number of so many bits, without a sign."""

    def signed(self, bits: int, example: int, /) -> int:
        """Return a whole number of so many bits."""

    def number(self, example: float, /) -> float:
        """Return any float64, infinite ones and 'not a number' too."""

    def text(self, example: str, /) -> str:
        """Return a text as rclpy hands it over: what is no UTF-8 is replaced."""

    def data(self, example: bytes, /) -> bytes:
        """Return bytes."""

    def flag(self, example: bool, /) -> bool:
        """Return true or false."""

    def how_many(self, most: int, example: int, /) -> int:
        """Return a count up to ``most``."""


class ReadFields:
    """
    Fields out of bytes; where these end, all that follows is zero and empty.

    Args:
        content: the bytes.
    """

    def __init__(self, content: bytes) -> None:
        self._content = content
        self._position = 0

    def whole(self, bits: int, _example: int) -> int:
        """Return a whole number of so many bits, without a sign."""
        return int.from_bytes(self._take(bits // 8), 'little')

    def signed(self, bits: int, _example: int) -> int:
        """Return a whole number of so many bits."""
        return int.from_bytes(self._take(bits // 8), 'little', signed=True)

    def number(self, _example: float) -> float:
        """Return any float64."""
        (value,) = struct.unpack('<d', self._take(8).ljust(8, b'\0'))
        return float(value)

    def text(self, _example: str) -> str:
        """Return a text, repeated up to 32768 times or to 65536 characters."""
        # Long texts from few bytes, but not longer than all limits on texts together: otherwise
        # the text itself would exceed the memory budget.
        times = 1 << (self.whole(8, 0) & 15)
        text = self.data(b'').decode(errors='replace')
        return text * min(times, max(1, 65_536 // max(1, len(text))))

    def data(self, _example: bytes) -> bytes:
        """Return bytes."""
        return self._take(self.whole(16, 0))

    def flag(self, _example: bool) -> bool:
        """Return true or false."""
        return bool(self.whole(8, 0) & 1)

    def how_many(self, most: int, _example: int) -> int:
        """Return a count up to ``most``."""
        return self.whole(16, 0) % (most + 1)

    def rest(self) -> bytes:
        """Return all that is left."""
        return self._take(len(self._content))

    def _take(self, length: int) -> bytes:
        begin = self._position
        self._position = min(begin + length, len(self._content))
        end = self._position
        return self._content[begin:end]


class WrittenFields:
    """Fields that are their examples, and what :class:`ReadFields` would read them from."""

    def __init__(self) -> None:
        self.content = b''

    def whole(self, bits: int, example: int) -> int:
        """Write the example and return it."""
        self.content += example.to_bytes(bits // 8, 'little')
        return example

    def signed(self, bits: int, example: int) -> int:
        """Write the example and return it."""
        self.content += example.to_bytes(bits // 8, 'little', signed=True)
        return example

    def number(self, example: float) -> float:
        """Write the example and return it."""
        self.content += struct.pack('<d', example)
        return example

    def text(self, example: str) -> str:
        """Write the example and return it."""
        self.whole(8, 0)
        self.data(example.encode())
        return example

    def data(self, example: bytes) -> bytes:
        """Write the example and return it."""
        self.whole(16, len(example))
        self.content += example
        return example

    def flag(self, example: bool) -> bool:
        """Write the example and return it."""
        return bool(self.whole(8, int(example)))

    def how_many(self, _most: int, example: int) -> int:
        """Write the example and return it."""
        return self.whole(16, example)
