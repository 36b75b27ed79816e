// Copyright 2026 edgetpu_retrain contributors
// SPDX-License-Identifier: Apache-2.0
/** Asks for a class: one that exists, by a tap or its key, or a new one. */

import { Dialog } from '../base/dialog.js';
import { html, useEffect } from '../base/html.js';
import { digitOf } from '../base/keyboard.js';
import { useClasses } from './class_list.js';
import { LabelButtons } from './label_buttons.js';
import { NameForm } from './name_dialog.js';

/**
 * @param {object} props
 * @param {string} props.title
 * @param {(label: string) => void} props.onLabel
 * @param {() => void} props.onClose
 */
export function LabelDialog({ title, onLabel, onClose }) {
  const list = useClasses();
  const choose = (label) => {
    onLabel(label);
    onClose();
  };
  useEffect(() => {
    const key = (event) => {
      const taught = list[digitOf(event) - 1];
      if (!taught || event.target.closest('input')) return;
      event.preventDefault();
      choose(taught.label);
    };
    document.addEventListener('keydown', key);
    return () => document.removeEventListener('keydown', key);
  });
  return html`
    <${Dialog} title=${title} onClose=${onClose}>
      <${LabelButtons} list=${list} focused onLabel=${choose} />
      <${NameForm} button="Add" field="Another class" mayExist onName=${choose} />
    </${Dialog}>`;
}
