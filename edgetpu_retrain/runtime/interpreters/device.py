# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
"""
Device names, and detection of the Edge TPUs attached to this machine.

Detection only reads files of the kernel in /sys and /dev, so it works even if loading libedgetpu
would crash.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
import re

from edgetpu_retrain.errors import DeviceError, RequestError

USB_DEVICES = Path('/sys/bus/usb/devices')
DEVICE_FILES = Path('/dev')
# The folder in which the Apex driver lists the attributes of PCIe and M.2 modules.
APEX_FACTS = Path('/sys/class/apex')

_DEVICE = re.compile(r'auto|cpu|(?:usb|pci)(?::\d+)?|:\d+', re.ASCII)
# Vendor and product IDs of a USB Accelerator before its firmware is loaded (Global Unichip) and
# afterwards (Google), from debian/edgetpu-accelerator.rules in
# https://github.com/google-coral/libedgetpu.
_USB_IDS = {('1a6e', '089a'), ('18d1', '9302')}


@dataclass(frozen=True)
class AttachedEdgeTpu:
    """
    An Edge TPU that the kernel lists.

    Args:
        bus: ``'usb'`` or ``'pci'``.
        file: path of the device file.
        number: index among the Edge TPUs on the same bus, from 0.
    """

    bus: str
    file: Path
    number: int = 0

    @property
    def name(self) -> str:
        """The device's name as in :func:`check_device`, such as ``'usb:0'``."""
        return f'{self.bus}:{self.number}'

    def temperature_celsius(self) -> float | None:
        """Return the chip's temperature; None if the device does not report it, as on USB."""
        if self.bus != 'pci':
            return None
        try:
            # In 0.001 degrees Celsius (apex_driver.c in https://github.com/google/gasket-driver).
            return int((APEX_FACTS / self.file.name / 'temp').read_text()) / 1000
        except (OSError, ValueError):
            return None


def check_device(device: str) -> None:
    """
    Raise a DeviceError if a string is not a device name.

    The names are those that pycoral's ``make_interpreter`` accepts, plus 'auto' and 'cpu'.

    Args:
        device: ``'auto'``, ``'cpu'``, ``'usb'``, ``'usb:N'``, ``'pci'``, ``'pci:N'`` or ``':N'``.

    Raises:
        DeviceError: if ``device`` is none of these; the message lists them.
    """
    if _DEVICE.fullmatch(device) is None:
        raise DeviceError(
            f"device is {device!r}; it must be 'auto', 'cpu', 'usb', 'usb:N', 'pci', 'pci:N' "
            f"or ':N', where N counts the Edge TPUs from 0, as in 'usb:0'"
        )


def read_device(name: str) -> str:
    """
    Return the value of an option or parameter that names a device.

    Raises:
        RequestError: if it is not a device name; the message lists the names.
    """
    try:
        check_device(name)
    except DeviceError as error:
        raise RequestError(str(error)) from error
    return name


def attached_edgetpus(device: str = 'auto') -> tuple[AttachedEdgeTpu, ...]:
    """
    Return the attached Edge TPUs on the bus that ``device`` names, or on any bus.

    Args:
        device: as in :func:`check_device`; ``'auto'``, ``'cpu'`` and ``':N'`` mean any bus.
    """
    bus, _, _ = device.partition(':')
    usb = [] if bus == 'pci' else _files_of_usb()
    # The Apex driver creates /dev/apex_0, /dev/apex_1, ...
    pci = [] if bus == 'usb' else sorted(DEVICE_FILES.glob('apex_*'))
    return (
        *(AttachedEdgeTpu('usb', file, number) for number, file in enumerate(usb)),
        *(AttachedEdgeTpu('pci', file, number) for number, file in enumerate(pci)),
    )


def find_edgetpu(device: str = 'auto') -> AttachedEdgeTpu | None:
    """
    Return the Edge TPU that ``device`` refers to.

    Args:
        device: as in :func:`check_device`.

    Returns:
        The Edge TPU; None for ``'cpu'``, if none matches, or if several match, because the kernel
        does not show which of them libedgetpu opens.
    """
    if device == 'cpu':
        return None
    attached = attached_edgetpus(device)
    _, _, number = device.partition(':')
    if number:
        return attached[int(number)] if int(number) < len(attached) else None
    return attached[0] if len(attached) == 1 else None


def _files_of_usb() -> list[Path]:
    found = []
    for folder in sorted(USB_DEVICES.glob('*')):
        try:
            vendor, product, bus, number = (
                (folder / name).read_text().strip()
                for name in ('idVendor', 'idProduct', 'busnum', 'devnum')
            )
        except OSError:
            # This is an interface, a hub's port, or a device that was just unplugged.
            continue
        if (vendor, product) in _USB_IDS:
            found.append(DEVICE_FILES / 'bus' / 'usb' / f'{int(bus):03}' / f'{int(number):03}')
    return found
