# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from edgetpu_retrain.errors import DeviceError
from edgetpu_retrain.learning import Head
from edgetpu_retrain.model_file.head.append_head import append_head
from edgetpu_retrain.runtime.engines.device_engines import make_engines
from edgetpu_retrain.runtime.models.extractor import Extractor
import numpy as np
import pytest
from support.small_models import build_extractor
from support.waiting import PATIENCE_S

COMPILED = build_extractor('uint8', dimension=16, compiled=True)
TWIN = build_extractor('uint8', dimension=16)
PICTURE = np.zeros((8, 8, 3), np.uint8)

pytestmark = pytest.mark.usefixtures('edgetpu_library', 'kernel')


@pytest.fixture
def tell(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[str], None]:
    """Return what tells the stand-in, in this process and in its children, how to behave."""
    monkeypatch.setenv('EDGETPU_STAND_IN', f'@{tmp_path / "behaviour"}')

    def write(behaviour: str) -> None:
        (tmp_path / 'behaviour').write_text(behaviour)

    write('')
    return write


def test_devices_are_independent_and_one_may_be_down(tell: Callable[[str], None]) -> None:
    told: list[tuple[str, str]] = []
    tell('usb:1=absent')
    engines = make_engines(
        COMPILED,
        ('usb:0', 'usb:1'),
        report=lambda *each: told.append(each),
        invoke_timeout_s=PATIENCE_S,
    )
    assert engines['usb:0'].run(PICTURE).device == 'usb:0'
    with pytest.raises(DeviceError, match='no fallback_extractor'):
        engines['usb:1'].run(PICTURE)
    assert [device for device, _ in told] == ['usb:1']
    assert {device: each.device for device, each in engines.status().items()} == {
        'usb:0': 'usb:0',
        'usb:1': '',
    }
    assert engines.healthiest() == 'usb:0'
    tell('usb:0=raise')
    with pytest.raises(DeviceError):
        engines['usb:0'].run(PICTURE)
    assert [device for device, _ in told] == ['usb:1', 'usb:0']
    engines.close()


def test_no_working_device_is_rejected_like_a_single_one(tell: Callable[[str], None]) -> None:
    tell('absent')
    with pytest.raises(DeviceError, match=r'None of the devices runs: usb:0: .*; usb:1: '):
        make_engines(COMPILED, ('usb:0', 'usb:1'))
    # The twin is there for both.
    engines = make_engines(COMPILED, ('usb:0', 'usb:1'), fallback=TWIN)
    assert {each.device for each in engines.status().values()} == {'cpu'}
    with pytest.raises(DeviceError, match='No Edge TPU is attached'):
        make_engines(COMPILED, ('usb:0',))


@pytest.mark.parametrize(
    'devices', [('auto', 'usb:1'), ('usb', 'pci'), (':0', 'usb:1'), ('cpu', 'usb:0')]
)
def test_several_edge_tpus_need_unambiguous_names(devices: tuple[str, ...]) -> None:
    with pytest.raises(DeviceError, match="name each one's number"):
        make_engines(COMPILED, devices)


def test_a_model_is_prepared_on_each() -> None:
    extractor = Extractor(TWIN).description
    head = Head(np.eye(16, 2, dtype=np.float32), np.zeros(2, np.float32), ('a', 'b'), (-4, 4))
    engines = make_engines(TWIN, ('cpu', 'auto'))
    assert engines.description == extractor
    prepared = engines.prepare(append_head(TWIN, head))
    assert {each.labels for each in prepared.values()} == {('a', 'b')}
    for device, engine in engines.items():
        engine.serve(prepared[device])
        assert engine.run(PICTURE).scores is not None
    assert prepared['cpu'] is not prepared['auto'], 'no interpreter runs in two threads'
