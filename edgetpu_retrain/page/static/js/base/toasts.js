// Copyright 2026 edgetpu_retrain contributors
// SPDX-License-Identifier: Apache-2.0
/** Short messages beside or over the page, and the screen reader's announcements. */

import { html, useEffect, useLayoutEffect, useRef } from './html.js';
import { Icon } from './icons.js';
import { createStore, useStore } from './store.js';

const SHOWN_MS = 6000;
const MOST = 3;
const NONE = [];

/**
 * places: the page, and each open dialog; the last one has the messages.
 * heard: id of the last message that was announced in an earlier place.
 */
const toasts = createStore({ list: [], announcement: { id: 0, text: '' }, places: [], heard: 0 });
let last = 0;
/** Id of the last message that a live region has had. */
let announced = 0;

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
export const announce = (text) => toasts.set({ announcement: { id: ++last, text } });

const dismiss = (id) => toasts.set({ list: toasts.get().list.filter((each) => each.id !== id) });

/**
 * The messages that are shown now.  The page has them, and each dialog, because whatever is outside
 * of an open modal dialog is inert: it cannot be pressed, focused or read out.  A message that moves
 * because a dialog opens or closes leaves the live region, or it would be announced again.
 */
export function Toasts() {
  const place = useRef({}).current;
  useLayoutEffect(() => {
    const move = (places) => toasts.set({ places, heard: announced });
    move([...toasts.get().places, place]);
    return () => move(toasts.get().places.filter((each) => each !== place));
  }, []);
  const here = useStore(toasts, ({ places }) => places[places.length - 1] === place);
  const list = useStore(toasts, (value) => (here ? value.list : NONE));
  const heard = useStore(toasts, (value) => value.heard);
  const announcement = useStore(toasts, (value) => (here ? value.announcement : null));
  useLayoutEffect(() => {
    if (here) announced = Math.max(announced, announcement.id, ...list.map(({ id }) => id));
  }, [here, list, announcement]);
  const shown = (select) => list.filter(select)
    .map((each) => html`<${Toast} key=${each.id} toast=${each} />`);
  const moved = shown(({ id }) => id <= heard);
  return html`
    <div class="toasts">
      <div role="status" aria-label="Messages">
        ${shown(({ id, kind }) => kind === 'note' && id > heard)}
      </div>
      <div role="alert" aria-label="Errors" aria-atomic="false">
        ${shown(({ id, kind }) => kind === 'error' && id > heard)}
      </div>
      ${moved.length > 0 && html`<div role="group" aria-label="Earlier messages">${moved}</div>`}
    </div>
    <p class="only-read-out" role="status" aria-label="Announcements">
      ${announcement?.id > heard && announcement.text}</p>`;
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
