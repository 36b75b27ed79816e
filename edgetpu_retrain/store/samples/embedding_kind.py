# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
"""EmbeddingKind: what one extractor's embeddings look like, in memory and on disk."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from edgetpu_retrain.model_file.quantization import is_sound, QuantizationParameters
import numpy as np
import numpy.typing as npt

MAX_DIMENSION = 1_000_000
"""Longest embedding, some hundred times the longest of any known extractor."""

RawArray = npt.NDArray[Any]
"""Embeddings as an extractor wrote them: uint8, int8 or float32."""

# Little-endian, so that a file can be carried to another machine.
_DISK_DTYPES: dict[str, np.dtype[Any]] = {
    'uint8': np.dtype('u1'),
    'int8': np.dtype('i1'),
    'float32': np.dtype('<f4'),
}


@dataclass(frozen=True)
class EmbeddingKind:
    """
    Length, type and quantization, which all embeddings of one extractor share.

    Args:
        dimension: numbers in an embedding, D.
        dtype: 'uint8', 'int8' or 'float32'.
        quantization: what the integers mean; None for float32.

    Raises:
        ValueError: when there is no such kind.
    """

    dimension: int
    dtype: str
    quantization: QuantizationParameters | None

    def __post_init__(self) -> None:
        if self.dtype not in _DISK_DTYPES:
            raise ValueError(
                f'embedding has dtype {self.dtype}; allowed are {", ".join(_DISK_DTYPES)}'
            )
        if self.dimension < 1:
            raise ValueError(f'embedding has {self.dimension} numbers; it must have at least 1')
        if self.dimension > MAX_DIMENSION:
            raise ValueError(
                f'embedding has {self.dimension} numbers; it may have at most {MAX_DIMENSION}'
            )
        if (self.quantization is None) != (self.dtype == 'float32'):
            raise ValueError(
                f'quantization is {self.quantization} for an embedding of {self.dtype}; it must '
                'be None for float32 and given for uint8 and int8'
            )
        if self.quantization is not None and not is_sound(self.quantization, self.dtype):
            raise ValueError(
                f'quantization is {self.quantization}, which makes no sense for {self.dtype}'
            )

    @classmethod
    def from_embedding(
        cls, embedding: RawArray, quantization: QuantizationParameters | None
    ) -> EmbeddingKind:
        """
        Return the kind of one embedding, raw ``[D]``.

        Raises:
            ValueError: when it is not a vector of one of the types.
        """
        if embedding.ndim != 1:
            raise ValueError(f'embedding has shape {embedding.shape}; it must be [D]')
        if quantization is not None:
            # Plain numbers, as they come back from the disk.
            quantization = QuantizationParameters(
                float(quantization.scale), int(quantization.zero_point)
            )
        return cls(embedding.size, embedding.dtype.name, quantization)

    def __str__(self) -> str:
        text = f'{self.dimension} numbers of {self.dtype}'
        if self.quantization is None:
            return text
        scale, zero_point = self.quantization.scale, self.quantization.zero_point
        return f'{text} (scale {scale:g}, zero point {zero_point})'

    @property
    def disk_dtype(self) -> np.dtype[Any]:
        """The type of the numbers as they are stored."""
        return _DISK_DTYPES[self.dtype]

    @property
    def num_bytes(self) -> int:
        """Bytes that an embedding takes on disk."""
        return self.dimension * self.disk_dtype.itemsize

    def to_disk(self, embedding: RawArray) -> bytes:
        """Return the bytes to store for an embedding of this kind."""
        return embedding.astype(self.disk_dtype).tobytes()

    def from_disk(self, data: bytes) -> RawArray:
        """Return the embedding, a read-only ``[D]`` view of ``num_bytes`` stored bytes."""
        return np.frombuffer(data, self.disk_dtype)
