// Copyright 2026 edgetpu_retrain contributors
// SPDX-License-Identifier: Apache-2.0
/** A button for each class, labelled with its key. */

import { html } from '../base/html.js';
import { BACKGROUND } from '../base/words.js';

/**
 * @param {object} props
 * @param {import('./class_list.js').TaughtClass[]} props.list
 * @param {string[]} [props.likely] classes to highlight
 * @param {boolean} [props.focused] whether a dialog focuses the first button
 * @param {(label: string) => void} props.onLabel
 * @param {any} [props.children] more buttons
 */
export function LabelButtons({ list, likely = [], focused = false, onLabel, children }) {
  return html`
    <div class="label-buttons">
      ${list.map(({ label }, index) => html`
        <button key=${label} autofocus=${focused && index === 0} onClick=${() => onLabel(label)}
          class=${likely.includes(label) ? 'likely' : ''}
          aria-label=${label === BACKGROUND ? `${label}: no object` : label}
          aria-keyshortcuts=${index < 9 ? index + 1 : undefined}>
          <span class="name" dir="auto" title=${label}>${label}</span>
          ${index < 9 && html`<kbd aria-hidden="true">${index + 1}</kbd>`}</button>`)}
      ${children}
    </div>`;
}
