// Copyright 2026 edgetpu_retrain contributors
// SPDX-License-Identifier: Apache-2.0
/** A modal dialog; on a phone, a sheet at the bottom. */

import { html, useEffect, useRef } from './html.js';
import { Icon } from './icons.js';
import { Toasts } from './toasts.js';

let count = 0;

/**
 * @param {{title: string, onClose: () => void, wide?: boolean, children: any}} props
 */
export function Dialog({ title, onClose, wide = false, children }) {
  const dialog = useRef(null);
  const id = useRef(`dialog-${++count}`).current;
  useEffect(() => {
    const opener = document.activeElement;
    dialog.current.showModal();
    return () => opener?.focus?.();
  }, []);
  const cancel = (event) => {
    event.preventDefault();
    onClose();
  };
  const outside = (event) => {
    if (event.target === dialog.current) onClose();
  };
  return html`
    <dialog ref=${dialog} class=${wide ? 'wide' : ''} aria-labelledby=${id}
      onCancel=${cancel} onClick=${outside}>
      <header>
        <h2 id=${id} dir="auto">${title}</h2>
        <button class="icon" aria-label="Close" onClick=${onClose}><${Icon} name="close" /></button>
      </header>
      <div class="content">${children}</div>
      <${Toasts} />
    </dialog>`;
}
