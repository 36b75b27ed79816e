// Copyright 2026 edgetpu_retrain contributors
// SPDX-License-Identifier: Apache-2.0
/** The versions of the model: which is in use, going back, comparing two. */

import { html, useState } from '../base/html.js';
import { useStore } from '../base/store.js';
import { toast, toastError } from '../base/toasts.js';
import { counted, measured, when } from '../base/words.js';
import { post } from '../robot/api.js';
import { isTeacher, robot } from '../robot/live.js';
import { Card } from './card.js';
import { Compare } from './compare.js';

const SHOWN = 8;

/**
 * @param {object} props
 * @param {any} props.models as /api/models responds
 * @param {string} props.error
 */
export function VersionsPart({ models, error }) {
  const teacher = useStore(robot, isTeacher);
  const [chosen, setChosen] = useState([]);
  const [all, setAll] = useState(false);
  const versions = models?.versions ?? [];
  const choose = (version) => setChosen((before) => (
    before.includes(version) ? before.filter((each) => each !== version)
      : [...before, version].slice(-2)
  ));
  return html`
    <${Card} title="Versions">
      ${error && html`<p class="problem">${error}</p>`}
      ${models && !versions.length && html`<p>No version yet. Every training makes one.</p>`}
      ${versions.length > 1 && html`<p class="muted">Tick two to compare them.</p>`}
      <ul class="versions">
        ${versions.slice(0, all ? undefined : SHOWN).map((each) => html`
          <${Version} key=${each.version} version=${each} teacher=${teacher}
            many=${versions.length > 1} ticked=${chosen.includes(each.version)}
            onTick=${() => choose(each.version)} />`)}
      </ul>
      ${models?.damaged?.map((each) => html`<p class="problem" dir="auto" key=${each.version}>
        ${each.message}</p>`)}
      ${versions.length > SHOWN && !all && html`
        <button onClick=${() => setAll(true)}>Show all ${versions.length}</button>`}
      ${chosen.length === 2 && html`<${Compare} key=${chosen.join()} versions=${chosen} />`}
    </${Card}>`;
}

function Version({ version, teacher, many, ticked, onTick }) {
  const { version: number, serving, labels, sample_counts: counts = {} } = version;
  const load = () => post('/api/models/load', { version: number })
    .then(({ message }) => toast(message), toastError);
  const samples = Object.values(counts).reduce((sum, count) => sum + count, 0);
  return html`
    <li class=${serving ? 'serving' : ''}>
      ${many && html`<label class="tick"><input type="checkbox" checked=${ticked}
        onChange=${onTick} aria-label=${`Compare version ${number}`} /></label>`}
      <div class="about">
        <b>Version ${number}</b>${serving && html`<span class="tag">In use</span>`}
        <span class="muted">${created(version.created)}</span>
        <span>${counted(labels.length, 'class', 'classes')},${' '}
          ${counted(samples, 'sample')}.${' '}
          ${measured(version.validation_accuracy, version.held_out_unit)}</span>
      </div>
      ${teacher && !serving && html`<button onClick=${load}
        aria-label=${`Use version ${number}`}>Use</button>`}
    </li>`;
}

function created(time) {
  const seconds = typeof time === 'number' ? time : Date.parse(time) / 1000;
  return Number.isFinite(seconds) ? when(seconds) : '';
}
