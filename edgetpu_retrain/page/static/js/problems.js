// Copyright 2026 edgetpu_retrain contributors
// SPDX-License-Identifier: Apache-2.0
/** What is wrong now: the connection, the node, and the node's own problems. */

import { html, useState } from './base/html.js';
import { Icon } from './base/icons.js';
import { useStore } from './base/store.js';
import { counted } from './base/words.js';
import { robot } from './robot/live.js';

/** The banners between the header and the screen; none without problems. */
export function Problems() {
  const link = useStore(robot, (value) => value.link);
  const status = useStore(robot, (value) => value.status);
  const node = useStore(robot, (value) => value.node);
  const refused = useStore(robot, (value) => value.refused);
  const role = useStore(robot, (value) => value.role);
  const absent = link === 'open' && status && !status.connected;
  return html`
    <section class="banners" aria-label="Notices">
      <div role="alert">
        ${link !== 'open' && refused && html`<p class="banner bad" dir="auto">${refused}</p>`}
        ${link === 'lost' && !refused && html`<p class="banner bad">
          <b>Connection to the robot lost.</b> Trying again…</p>`}
        ${absent && html`<p class="banner bad"><b>The node does not respond.</b>${' '}
          Is ${node || 'the retrain node'} running? This page goes on as soon as it is.</p>`}
      </div>
      ${link === 'open' && role === 'observer' && status && html`<p class="banner">
        <${Icon} name="eye" />You are only watching. To teach, open the teacher’s address.</p>`}
      ${link === 'open' && !absent && html`<${NodeProblems} problems=${status?.problems ?? []} />`}
    </section>`;
}

function NodeProblems({ problems }) {
  const [open, setOpen] = useState(false);
  if (!problems.length) return html`<div role="status" aria-label="Problems"></div>`;
  return html`
    <div role="status" aria-label="Problems" class="banner warn">
      <${Icon} name="warning" />
      <div class="texts">
        ${(open ? problems : problems.slice(0, 1)).map((each) => html`
          <p key=${each} dir="auto" class=${open ? '' : 'one-line'}>${each}</p>`)}
      </div>
      <button class="plain" aria-expanded=${open} onClick=${() => setOpen(!open)}>
        ${open ? 'Less' : counted(problems.length, 'problem')}</button>
    </div>`;
}
