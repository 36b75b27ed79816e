// Copyright 2026 edgetpu_retrain contributors
// SPDX-License-Identifier: Apache-2.0
/** A part of the model screen. */

import { html, useRef } from '../base/html.js';

let count = 0;

/** @param {{title: string, children: any}} props */
export function Card({ title, children }) {
  const id = useRef(`card-${++count}`).current;
  return html`
    <section class="card" aria-labelledby=${id}><h2 id=${id}>${title}</h2>${children}</section>`;
}
