# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
"""EmbeddingKind: the format of one extractor's embeddings, in memory and on disk."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from edgetpu_retrain.model_file.quantization import is_sound, QuantizationParameters
import numpy as np
import numpy.typing as npt

MAX_DIMENSION = 1_000_000
"""Maximum length of an embedding, several hundred times that of usual extractors."""

RawArray = npt.NDArray[Any]
"""Raw embeddings, as an extractor outputs them: uint8, int8 or float32."""

# Little-endian, so that a file can be copied to another machine.
_DISK_DTYPES: dict[str, np.dtype[Any]] = {
    'uint8': np.dtype('u1'),
    'int8': np.dtype('i1'),
    'float32': np.dtype('<f4'),
}


@dataclass(frozen=True)
class EmbeddingKind:
    """
    The length, type and quantization of all embeddings of one extractor.

    Args:
        dimension: D, the length of an embedding.
        dtype: 'uint8', 'int8' or 'float32'.
        quantization: scale and zero point of uint8 and int8; None for float32.

    Raises:
        ValueError: if a field is invalid, or contradicts another one.
    """

    dimension: int
    dtype: str
    quantization: QuantizationParameters | None

    def __post_init__(self) -> None:
        if self.dtype not in _DISK_DTYPES:
            raise ValueError(
                f'embedding has dtype {self.dtype}; allowed are {", ".join(_DISK_DTYPES)}'
            )
        if not 1 <= self.dimension <= MAX_DIMENSION:
            raise ValueError(
                f'embedding has {self.dimension} numbers; it must have 1 to {MAX_DIMENSION}'
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
        Return the kind of an embedding.

        Args:
            embedding: raw embedding ``[D]``.
            quantization: its quantization; None for float32.

        Raises:
            ValueError: if shape, dtype or quantization is invalid.
        """
        if embedding.ndim != 1:
            raise ValueError(f'embedding has shape {embedding.shape}; it must be [D]')
        if quantization is not None:
            # Convert to Python numbers, as in a kind that is read from the disk.
            quantization = QuantizationParameters(
                float(quantization.scale), int(quantization.zero_point)
            )
        return cls(embedding.size, embedding.dtype.name, quantization)

    @classmethod
    def from_fields(cls, dimension: Any, dtype: Any, scale: Any, zero_point: Any) -> EmbeddingKind:
        """
        Create a kind from the values that :meth:`to_fields` returns.

        Raises:
            ValueError, TypeError: if a value is invalid.
        """
        quantization = None
        if scale is not None:
            quantization = QuantizationParameters(float(scale), int(zero_point))
        return cls(int(dimension), str(dtype), quantization)

    def to_fields(self) -> dict[str, Any]:
        """Return the arguments of :meth:`from_fields`; for float32, the last two are None."""
        quantization = self.quantization
        return {
            'dimension': self.dimension,
            'dtype': self.dtype,
            'scale': quantization and quantization.scale,
            'zero_point': quantization and quantization.zero_point,
        }

    def __str__(self) -> str:
        text = f'{self.dimension} numbers of {self.dtype}'
        if self.quantization is None:
            return text
        scale, zero_point = self.quantization.scale, self.quantization.zero_point
        return f'{text} (scale {scale:g}, zero point {zero_point})'

    @property
    def disk_dtype(self) -> np.dtype[Any]:
        """The dtype of stored embeddings, little-endian."""
        return _DISK_DTYPES[self.dtype]

    @property
    def num_bytes(self) -> int:
        """Size of a stored embedding, bytes."""
        return self.dimension * self.disk_dtype.itemsize

    def to_disk(self, embedding: RawArray) -> bytes:
        """Return the bytes to store for a raw embedding ``[D]`` of this kind."""
        return embedding.astype(self.disk_dtype).tobytes()

    def from_disk(self, data: bytes) -> RawArray:
        """Return the raw embedding ``[D]`` in stored bytes, as a read-only view."""
        return np.frombuffer(data, self.disk_dtype)
