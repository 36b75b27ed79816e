// Copyright 2026 edgetpu_retrain contributors
// SPDX-License-Identifier: Apache-2.0
/** Short messages at the bottom, and the screen reader's announcements. */

import { html, useEffect, useLayoutEffect, useRef } from './html.js';
import { Icon } from './icons.js';
import { createStore, useStore } from './store.js';

const SHOWN_MS = 6000;
const MOST = 3;
const NONE = [];

/** places: the page, and each open dialog; the last one has the messages. */
const toasts = createStore({ list: [], announcement: '', places: [] });
let last = 0;

/**
 * Show a message for some seconds.
 * @param {string} text
 * @param {{kind?: 'note'|'error', action?: {name: string, run: () => void}}} [options]
 */
export function toast(text, { kind = 'note', action } = {}) {
  const id = ++last;
  // A note replaces the previous one, whose undo would undo something else by now.
  const list = toasts.get().list.filter((each) => each.kind === 'error' && each.text !== text);
  toasts.set({ list: [...list, { id, text, kind, action }].slice(-MOST) });
}

/** @param {Error|string} error */
export function toastError(error) {
  toast(error instanceof Error ? error.message : error, { kind: 'error' });
}

/**
 * Announce a text to screen readers, without showing it.
 * @param {string} text
 */
export const announce = (text) => toasts.set({ announcement: text });

const dismiss = (id) => toasts.set({ list: toasts.get().list.filter((each) => each.id !== id) });

/**
 * The messages that are shown now.  The page has them, and each dialog, because whatever is outside
 * of an open modal dialog is inert: it cannot be pressed, focused or read out.
 */
export function Toasts() {
  const place = useRef({}).current;
  useLayoutEffect(() => {
    // What was announced elsewhere is not read out again.
    const move = (places) => toasts.set({ places, announcement: '' });
    move([...toasts.get().places, place]);
    return () => move(toasts.get().places.filter((each) => each !== place));
  }, []);
  const here = useStore(toasts, ({ places }) => places[places.length - 1] === place);
  const list = useStore(toasts, (value) => (here ? value.list : NONE));
  const announcement = useStore(toasts, (value) => (here ? value.announcement : ''));
  return html`
    <div class="toasts">
      <div role="status" aria-label="Messages">
        ${list.filter((each) => each.kind === 'note')
    .map((each) => html`<${Toast} key=${each.id} toast=${each} />`)}
      </div>
      <div role="alert" aria-label="Errors">
        ${list.filter((each) => each.kind === 'error')
    .map((each) => html`<${Toast} key=${each.id} toast=${each} />`)}
      </div>
    </div>
    <p class="only-read-out" role="status" aria-label="Announcements">${announcement}</p>`;
}

function Toast({ toast: { id, text, kind, action } }) {
  useEffect(() => {
    const timer = setTimeout(() => dismiss(id), kind === 'error' ? 2 * SHOWN_MS : SHOWN_MS);
    return () => clearTimeout(timer);
  }, [id]);
  const run = () => {
    dismiss(id);
    action.run();
  };
  return html`
    <div class="toast" data-kind=${kind}>
      <p dir="auto">${text}</p>
      ${action && html`<button class="plain" onClick=${run}>${action.name}</button>`}
      <button class="icon" aria-label="Close this message" onClick=${() => dismiss(id)}>
        <${Icon} name="close" />
      </button>
    </div>`;
}
