// Copyright 2026 edgetpu_retrain contributors
// SPDX-License-Identifier: Apache-2.0
/** The bar with actions on the selected tiles of a grid. */

import { html, useState } from '../base/html.js';
import { Icon } from '../base/icons.js';
import { useKeys } from '../base/keyboard.js';
import { counted, number } from '../base/words.js';
import { LabelDialog } from '../labels/label_dialog.js';

/**
 * Show how many tiles are selected, and the actions.
 * @param {object} props
 * @param {number} props.count
 * @param {number} props.total
 * @param {boolean} props.teacher
 * @param {string} [props.about] description of the selected tile, if it is a single one
 * @param {() => void} props.onAll
 * @param {() => void} props.onClear
 * @param {(label: string) => void} props.onLabel
 * @param {() => void} props.onRemove
 * @param {string} [props.purpose] what pictures are selected for
 * @param {string} [props.removeName]
 */
export function SelectionBar(props) {
  const { count, total, teacher, about, onAll, onClear, onLabel, onRemove } = props;
  const { purpose = 'correct', removeName = 'Delete' } = props;
  const [labelling, setLabelling] = useState(false);
  useKeys((event) => {
    if (count && teacher && event.key === 'Delete') onRemove();
    if (count && teacher && event.key === 'l' && !event.ctrlKey && !event.metaKey) {
      event.preventDefault();
      setLabelling(true);
    }
  });
  if (!teacher) return null;
  return html`
    <div class="selection-bar" role="toolbar" aria-label="Selection">
      <p role="status">${count ? html`${number(count)}${' '}<span class="only-read-out">${
  count === 1 ? 'picture' : 'pictures'}${' '}</span>selected` : `Select pictures to ${purpose} them`}
        ${about && html`<span class="muted wide" dir="auto"> · ${about}</span>`}</p>
      ${count < total && html`<button onClick=${onAll} aria-label="Select all">
        ${!count && 'Select '}${count ? 'All' : 'all'}</button>`}
      ${count > 0 && html`
        <button class="icon" aria-label="Clear the selection" onClick=${onClear}>
          <${Icon} name="close" /></button>
        <button onClick=${() => setLabelling(true)}><${Icon} name="label" />Label</button>
        <button class="danger" onClick=${onRemove} aria-label=${removeName}>
          <${Icon} name="remove" /><span class="wide">${removeName}</span></button>`}
      ${labelling && html`<${LabelDialog} title=${`Label ${counted(count, 'picture')} as`}
        onLabel=${onLabel} onClose=${() => setLabelling(false)} />`}
    </div>`;
}
