# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
from pathlib import Path

from edgetpu_retrain.errors import DeviceError
from edgetpu_retrain.runtime.interpreters.device import (
    attached_edgetpus,
    check_device,
    find_edgetpu,
)
import pytest


def plug_in(kernel: Path, port: str, vendor: str, product: str, number: int) -> Path:
    folder = kernel / 'sys' / port
    folder.mkdir()
    facts = {'idVendor': vendor, 'idProduct': product, 'busnum': '2', 'devnum': str(number)}
    for name, fact in facts.items():
        (folder / name).write_text(f'{fact}\n')
    file = kernel / 'dev' / 'bus' / 'usb' / '002' / f'{number:03}'
    file.parent.mkdir(parents=True, exist_ok=True)
    file.touch()
    return file


@pytest.mark.parametrize('name', ['auto', 'cpu', 'usb', 'usb:0', 'usb:12', 'pci', 'pci:0', ':0'])
def test_the_names_of_devices_are_taken(name: str) -> None:
    check_device(name)


@pytest.mark.parametrize(
    'name',
    [
        *('', 'gpu', 'CPU', 'usb:', 'usb:a', 'usb:-1', ':', '0', 'cpu:0', 'auto ', 'usb:0\n'),
        *('foo:1', 'usb:\uff11'),
    ],
)
def test_any_other_name_is_rejected_with_the_list(name: str) -> None:
    with pytest.raises(DeviceError) as refused:
        check_device(name)
    message = str(refused.value)
    assert repr(name) in message
    for allowed in ("'auto'", "'cpu'", "'usb'", "'usb:N'", "'pci'", "'pci:N'", "':N'"):
        assert allowed in message


def test_a_machine_without_an_edge_tpu_shows_none(kernel: Path) -> None:
    plug_in(kernel, '1-1', '046d', '082d', 4)
    (kernel / 'sys' / '1-1:1.0').mkdir()
    (kernel / 'dev' / 'video0').touch()
    assert attached_edgetpus() == ()


def test_a_usb_accelerator_is_seen_before_and_after_its_firmware_is_loaded(kernel: Path) -> None:
    before = plug_in(kernel, '1-1', '1a6e', '089a', 4)
    after = plug_in(kernel, '1-2', '18d1', '9302', 5)
    found = attached_edgetpus()
    assert [edgetpu.bus for edgetpu in found] == ['usb', 'usb']
    assert [edgetpu.file for edgetpu in found] == [before, after]


def test_the_bus_that_is_asked_for_is_the_one_that_is_looked_at(kernel: Path) -> None:
    plug_in(kernel, '1-1', '18d1', '9302', 4)
    (kernel / 'dev' / 'apex_0').touch()
    (kernel / 'dev' / 'apex_1').touch()
    for device, buses in {
        'auto': ['usb', 'pci', 'pci'],
        ':1': ['usb', 'pci', 'pci'],
        'usb': ['usb'],
        'usb:0': ['usb'],
        'pci': ['pci', 'pci'],
        'pci:1': ['pci', 'pci'],
    }.items():
        assert [edgetpu.bus for edgetpu in attached_edgetpus(device)] == buses


def test_an_edge_tpu_whose_device_file_is_missing_is_attached(kernel: Path) -> None:
    file = plug_in(kernel, '1-1', '18d1', '9302', 4)
    file.unlink()
    assert [edgetpu.file for edgetpu in attached_edgetpus()] == [file]


def test_an_edge_tpu_is_found_by_its_name(kernel: Path) -> None:
    files = [plug_in(kernel, '1-1', '1a6e', '089a', 4), plug_in(kernel, '1-2', '18d1', '9302', 5)]
    files.append(kernel / 'dev' / 'apex_0')
    files[-1].touch()
    for device, name, file in [
        ('usb:0', 'usb:0', files[0]),
        ('usb:1', 'usb:1', files[1]),
        ('pci:0', 'pci:0', files[2]),
        ('pci', 'pci:0', files[2]),
        (':0', 'usb:0', files[0]),
        (':2', 'pci:0', files[2]),
    ]:
        found = find_edgetpu(device)
        assert found is not None
        assert (found.name, found.file) == (name, file)


def test_an_ambiguous_or_missing_edge_tpu_gives_none(kernel: Path) -> None:
    assert find_edgetpu() is None
    plug_in(kernel, '1-1', '18d1', '9302', 4)
    found = find_edgetpu()
    assert found is not None
    assert found.name == 'usb:0'
    assert find_edgetpu('cpu') is None
    assert find_edgetpu('usb:1') is None
    plug_in(kernel, '1-2', '18d1', '9302', 5)
    assert find_edgetpu() is None
    assert find_edgetpu('usb') is None


def test_only_pcie_modules_report_their_temperature(kernel: Path) -> None:
    plug_in(kernel, '1-1', '18d1', '9302', 4)
    for number, fact in enumerate(['48750\n', 'broken\n']):
        (kernel / 'dev' / f'apex_{number}').touch()
        (kernel / 'apex' / f'apex_{number}').mkdir(parents=True)
        (kernel / 'apex' / f'apex_{number}' / 'temp').write_text(fact)
    (kernel / 'dev' / 'apex_2').touch()
    told = [edgetpu.temperature_celsius() for edgetpu in attached_edgetpus()]
    assert told == [None, 48.75, None, None]
