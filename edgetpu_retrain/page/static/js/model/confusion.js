// Copyright 2026 edgetpu_retrain contributors
// SPDX-License-Identifier: Apache-2.0
/** A confusion matrix whose cells open the pictures that they count. */

import { Dialog } from '../base/dialog.js';
import { html, useEffect, useMemo, useState } from '../base/html.js';
import { counted, quoted } from '../base/words.js';
import { SampleGrid } from '../grid/sample_grid.js';
import { useSamplePages } from '../samples/sample_pages.js';

const PAIRS = 5;

/**
 * @param {object} props
 * @param {string[]} props.labels
 * @param {number[][]} props.matrix rows: the label, columns: the classification
 * @param {number[][][]} [props.cells] the ids of each cell's samples
 */
export function Confusion({ labels, matrix, cells }) {
  const [open, setOpen] = useState(null);
  const pairs = matrix.flatMap((row, truth) => row.map((count, as) => ({ truth, as, count })))
    .filter(({ truth, as, count }) => truth !== as && count)
    .sort((a, b) => b.count - a.count).slice(0, PAIRS);
  const show = cells ? (truth, as) => setOpen({ truth, as }) : null;
  return html`
    ${pairs.length === 0 && html`<p>No held-out sample is taken for another class.</p>`}
    <ul class="pairs">
      ${pairs.map(({ truth, as, count }) => html`<li key=${`${truth}-${as}`}>
        <span><bdi>${labels[truth]}</bdi> taken for <bdi>${labels[as]}</bdi>: ${count}</span>
        ${show && html`<button onClick=${() => show(truth, as)}
          aria-label=${`See ${labels[truth]} taken for ${labels[as]}`}>See</button>`}
      </li>`)}
    </ul>
    <${Matrix} labels=${labels} matrix=${matrix} onShow=${show} />
    ${open && html`<${CellDialog} truth=${labels[open.truth]} as=${labels[open.as]}
      ids=${cells[open.truth][open.as]} onClose=${() => setOpen(null)} />`}`;
}

function Matrix({ labels, matrix, onShow }) {
  return html`
    <p class="muted">Rows: what it was labelled. Columns: what the model says.</p>
    <div class="matrix" tabindex="0" role="region" aria-label="Confusion matrix">
      <table>
        <thead><tr><td></td>
          ${labels.map((each) => html`<th key=${each} scope="col" title=${each}>
            <span dir="auto">${each}</span></th>`)}
        </tr></thead>
        <tbody>
          ${matrix.map((row, truth) => html`<tr key=${labels[truth]}>
            <th scope="row" title=${labels[truth]}><span dir="auto">${labels[truth]}</span></th>
            ${row.map((count, as) => html`<${Cell} key=${as} count=${count}
              share=${count / (row.reduce((sum, each) => sum + each, 0) || 1)}
              right=${truth === as} name=${`${labels[truth]} as ${labels[as]}: ${count}`}
              onShow=${onShow && (() => onShow(truth, as))} />`)}
          </tr>`)}
        </tbody>
      </table>
    </div>`;
}

function Cell({ count, share, right, name, onShow }) {
  return html`
    <td class=${right ? 'right' : 'wrong'} style=${{ '--share': Math.sqrt(share) }}>
      ${count > 0 && onShow ? html`<button aria-label=${name} onClick=${onShow}>${count}</button>`
    : count || html`<span class="muted">·</span>`}
    </td>`;
}

/** The pictures of a cell, to label or delete them. */
function CellDialog({ truth, as, ids, onClose }) {
  const pages = useSamplePages(truth);
  const wanted = useMemo(() => new Set(ids), [ids]);
  const samples = useMemo(
    () => pages.samples.filter((each) => wanted.has(each.id)), [pages.samples, wanted],
  );
  const rest = pages.loaded && !pages.error && pages.samples.length < pages.total;
  useEffect(() => {
    if (rest) pages.all();
  }, [rest]);
  return html`
    <${Dialog} wide title=${truth === as ? `${quoted(truth)}, as it should be`
    : `${quoted(truth)} taken for ${quoted(as)}`} onClose=${onClose}>
      <div class="scroll">
        ${pages.error && html`<p class="problem">${pages.error}</p>`}
        ${pages.loaded && !rest && !pages.error && samples.length === 0 && html`<p class="empty">These samples have another label now, or
          are deleted.</p>`}
        ${samples.length > 0 && html`<p class="muted">Is a label wrong? Select the picture, and
          label it again.</p>
          <${SampleGrid} name=${counted(samples.length, 'sample')} samples=${samples}
            total=${samples.length} captions=${false} />`}
      </div>
    </${Dialog}>`;
}
