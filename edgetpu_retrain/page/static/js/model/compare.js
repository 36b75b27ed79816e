// Copyright 2026 edgetpu_retrain contributors
// SPDX-License-Identifier: Apache-2.0
/** Two versions of the model, class by class. */

import { html } from '../base/html.js';
import { percent } from '../base/words.js';
import { useResource } from '../robot/api.js';

/** @param {{versions: [number, number]}} props */
export function Compare({ versions }) {
  const [a, b] = [...versions].sort((one, other) => one - other);
  const { data, error } = useResource(`/api/models/compare?a=${a}&b=${b}`, 'models');
  return html`
    <div class="compare">
      <h3>Version ${a} and version ${b}</h3>
      <div role="status">
        ${error && html`<p class="problem">${error}</p>`}
        ${!data && !error && html`<p>Comparing…</p>`}
      </div>
      ${data && html`
        ${data.words.map((each) => html`<p key=${each} dir="auto">${each}</p>`)}
        <${Table} a=${data.a} b=${data.b} />`}
    </div>`;
}

function Table({ a, b }) {
  const labels = [...new Set([...a.per_class, ...b.per_class].map((each) => each.label))];
  const of = (side, label) => {
    const found = side.per_class.find((each) => each.label === label);
    return found ? percent(found.accuracy) : '–';
  };
  return html`
    <div class="matrix" tabindex="0" role="region" aria-label="Comparison by class">
      <table>
        <thead><tr><th scope="col">Right</th><th scope="col">Version ${a.version}</th>
          <th scope="col">Version ${b.version}</th></tr></thead>
        <tbody>
          <tr><th scope="row">All</th><td>${percent(a.accuracy)}</td><td>${percent(b.accuracy)}</td>
          </tr>
          ${labels.map((label) => html`<tr key=${label}>
            <th scope="row" title=${label}><span dir="auto">${label}</span></th>
            <td>${of(a, label)}</td><td>${of(b, label)}</td></tr>`)}
        </tbody>
      </table>
    </div>`;
}
