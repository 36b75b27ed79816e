// Copyright 2026 edgetpu_retrain contributors
// SPDX-License-Identifier: Apache-2.0
/** The button that captures a class while it is held by finger, mouse or key. */

import { html, classes, useRef } from '../base/html.js';
import { Icon } from '../base/icons.js';
import { useStore } from '../base/store.js';
import { beginHold, capture, endHold } from './capture.js';

/** How long a click by a screen reader, which cannot hold a button, captures. */
const CLICK_MS = 1500;

/** @param {{label: string, shortcut: number}} props shortcut: the class's key, 1 to 9; 0 = none */
export function CaptureButton({ label, shortcut }) {
  const holding = useStore(capture, (value) => value.label === label);
  const touch = useRef(false);

  const down = (event) => {
    if (event.button !== 0) return;
    touch.current = event.pointerType !== 'mouse';
    event.currentTarget.setPointerCapture(event.pointerId);
    beginHold(label);
  };
  // Another button may have begun another capture meanwhile.
  const end = () => capture.get().label === label && endHold();
  const menu = (event) => {
    event.preventDefault();
    // On phones, the hold itself opens the menu as a long press, so it goes on.
    if (!touch.current) end();
  };
  const keyDown = (event) => {
    if (event.key !== ' ' && event.key !== 'Enter') return;
    event.preventDefault();
    if (!event.repeat) beginHold(label);
  };
  const keyUp = (event) => {
    if (event.key !== ' ' && event.key !== 'Enter') return;
    event.preventDefault();
    end();
  };
  const click = (event) => {
    if (event.detail !== 0 || holding) return;
    beginHold(label);
    setTimeout(end, CLICK_MS);
  };
  return html`
    <button class=${classes('capture', holding && 'holding')} aria-label=${`Capture ${label}`}
      aria-pressed=${holding} aria-keyshortcuts=${shortcut || undefined}
      onPointerDown=${down} onPointerUp=${end} onPointerCancel=${end}
      onLostPointerCapture=${end} onContextMenu=${menu}
      onKeyDown=${keyDown} onKeyUp=${keyUp} onBlur=${end} onClick=${click}>
      <${Icon} name="hold" /><span>${holding ? 'Storing' : 'Hold'}</span>
    </button>`;
}
