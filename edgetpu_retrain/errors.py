# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
"""
The exceptions of this package.

An error with a message for the user is a :class:`RetrainError`.  Functions for Python programs
may also raise a ValueError for an invalid argument, and a FileNotFoundError for a missing file.
The message of a RetrainError states what is wrong, with the value, and what to do.  The node logs
the message, or returns it in the response of a service, and continues.  The command line prints
the message and exits.

Messages quote untrusted text: names, values, errors of libraries.  The message of a RetrainError
is therefore one printable line of bounded length, so that no file or request can inject lines
into a log or flood it.
"""

from pathlib import Path

from edgetpu_retrain.wording import presentable

TOO_LITTLE_MEMORY = 'there is too little memory: end other programs, then try again'
"""The message for a MemoryError, which is never reported as damage of the file being read."""


class RetrainError(Exception):
    """Base of all exceptions in this module."""

    def __str__(self) -> str:
        return presentable(super().__str__())


class ModelFileError(RetrainError, ValueError):
    """A .tflite file cannot be read, or cannot be used."""


class DeviceError(RetrainError, RuntimeError):
    """There is no TFLite runtime or no Edge TPU, or the device cannot run the model."""


class ImageError(RetrainError, ValueError):
    """A picture, or a message with an image or detections, cannot be used."""


class RecordingError(RetrainError, RuntimeError):
    """A folder of pictures or a bag cannot be read."""


class StoreError(RetrainError, RuntimeError):
    """Samples or models on disk cannot be read or written."""


class UnusableModelError(StoreError):
    """A stored model cannot serve, and trying again is useless: it is damaged, for example."""


class FolderInUseError(StoreError):
    """
    Another node owns a data folder.

    Args:
        folder: the data folder.
        message: the error message, one sentence.
    """

    def __init__(self, folder: Path, message: str) -> None:
        super().__init__(message)
        self.folder = folder


class FilesChangedError(StoreError):
    """Another program moved, deleted, replaced or overwrote a file that was in use."""


class RequestError(RetrainError, ValueError):
    """A request to a service, the action or the command line, or a parameter, is invalid."""


class TooFewSamplesError(RequestError):
    """There are too few samples for a request."""


class NodeError(RetrainError, RuntimeError):
    """The middleware rejects a ROS node."""


class FleetError(RetrainError, RuntimeError):
    """A file, key, message or program that a fleet needs is missing or invalid."""


class PackError(FleetError):
    """
    A pack (a signed message with samples of a fleet) is not valid.

    Args:
        kind: the kind under which the error is counted: 'not a pack', 'too large', 'other space',
            'bad signature', 'bad claim' or 'bad payload'.
        message: the error message, one sentence.
    """

    def __init__(self, kind: str, message: str) -> None:
        super().__init__(message)
        self.kind = kind


class RosterError(FleetError):
    """A roster (the signed list of the members of a fleet) is not valid."""


class HubError(FleetError):
    """The hub of a fleet cannot be reached or used."""


class HubLostError(HubError):
    """The connection to a hub was lost."""


class HubFullError(HubError):
    """A hub has reached a limit, or its disk is full."""


class HubRefusedError(HubError):
    """
    A hub rejected a message.

    Args:
        message: the error message, one sentence.
        code: JetStream's error code; 0 = none.
    """

    def __init__(self, message: str, code: int = 0) -> None:
        super().__init__(message)
        self.code = code


class HubDeniedError(HubRefusedError):
    """A hub rejected a connection or a request for which the member has no permission."""


class RosMissingError(RetrainError, ImportError):
    """A module that needs ROS 2 was imported without ROS 2."""


class LibraryMissingError(RetrainError, ImportError):
    """A module was imported without an optional library that this module needs."""


def in_words(error: Exception) -> str:
    """
    Return an exception as text for a message.

    A RetrainError has a message for the user.  Any other exception becomes its ``repr()``, except
    that a MemoryError becomes :data:`TOO_LITTLE_MEMORY`.
    """
    if isinstance(error, MemoryError):
        return TOO_LITTLE_MEMORY
    return str(error) if isinstance(error, RetrainError) else repr(error)
