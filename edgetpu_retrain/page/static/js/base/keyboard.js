// Copyright 2026 edgetpu_retrain contributors
// SPDX-License-Identifier: Apache-2.0
/** Keys that work wherever the focus is, except in fields for text. */

import { useEffect, useRef } from './html.js';

const TYPING = 'input, textarea, select, [contenteditable]';
const OWN_SPACE = 'button, [role="listbox"]';

/**
 * Listen to keys while a component is shown.
 * @param {(event: KeyboardEvent) => void} down
 * @param {(event: KeyboardEvent) => void} [up]
 */
export function useKeys(down, up) {
  const current = useRef(null);
  current.current = { down, up };
  useEffect(() => {
    const onDown = (event) => {
      const elsewhere = event.target instanceof Element && event.target.closest(TYPING);
      if (elsewhere || event.altKey || document.querySelector('dialog[open]')) return;
      current.current.down(event);
    };
    const onUp = (event) => current.current.up?.(event);
    document.addEventListener('keydown', onDown);
    document.addEventListener('keyup', onUp);
    return () => {
      document.removeEventListener('keydown', onDown);
      document.removeEventListener('keyup', onUp);
    };
  }, []);
}

/**
 * @param {KeyboardEvent} event
 * @returns {number} 0 to 9, also where digits need the shift key; -1 for other keys
 */
export function digitOf(event) {
  if (event.ctrlKey || event.metaKey) return -1;
  const match = /^(?:Digit|Numpad)(\d)$/.exec(event.code) || /^(\d)$/.exec(event.key);
  return match ? Number(match[1]) : -1;
}

/**
 * @param {KeyboardEvent} event
 * @returns {boolean} whether this is a space that no focused control needs
 */
export function isFreeSpace(event) {
  return event.key === ' ' && !(event.target instanceof Element && event.target.closest(OWN_SPACE));
}
