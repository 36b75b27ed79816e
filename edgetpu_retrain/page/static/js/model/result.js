// Copyright 2026 edgetpu_retrain contributors
// SPDX-License-Identifier: Apache-2.0
/** How good the serving version is, in words, and what it confuses. */

import { html } from '../base/html.js';
import { counted, percent } from '../base/words.js';
import { Card } from './card.js';
import { Confusion } from './confusion.js';

/**
 * Return what a held-out figure is valid for.
 * @param {string} unit 'recordings', 'blocks' or 'frames'; '' = nothing was held out
 * @returns {string}
 */
export function heldOutWords(unit) {
  if (unit === 'recordings') {
    return 'Whole recordings were held out, so this holds for another day like those taught.';
  }
  if (!unit) return 'Nothing was held out, so nothing was measured.';
  return 'Each class, or one at least, was taught in one go, so this says nothing about another '
    + 'day. Capture every class again at another time, in other light, and train.';
}

/**
 * @param {object} props
 * @param {any} props.models as /api/models responds
 * @param {any} props.analysis as /api/analysis responds
 */
export function ResultPart({ models, analysis }) {
  const version = models?.versions.find((each) => each.serving);
  if (!version) return null;
  return html`
    <${Card} title=${`Result of version ${version.version}`}>
      <${Figures} version=${version} />
      <${ConfusionOf} version=${version} analysis=${analysis} />
    </${Card}>`;
}

function Figures({ version }) {
  const accuracy = version.validation_accuracy;
  if (!Number.isFinite(accuracy)) return html`<p>${heldOutWords('')}</p>`;
  return html`
    <p class="figure"><b>${percent(accuracy)}</b> right on samples that it was not trained on</p>
    <p>${heldOutWords(version.held_out_unit)}</p>
    ${Number.isFinite(version.unknown) && html`<p>Of things that were never taught, it takes about
      ${' '}${percent(version.unknown)} for unknown.</p>`}`;
}

/** The matrix of the analysis, whose cells have pictures; without one, that of the training. */
function ConfusionOf({ version, analysis }) {
  if (analysis?.confusion?.length) {
    return html`
      <h3>What it mixes up</h3>
      <p class="muted">From the check of the samples below${analysis.stale
    && ', before samples or models changed'}.</p>
      <${Confusion} labels=${analysis.labels} matrix=${analysis.confusion}
        cells=${analysis.cells} />`;
  }
  const matrix = square(version.confusion_matrix, version.labels.length);
  const tried = matrix.flat().reduce((sum, count) => sum + count, 0);
  if (!tried) return null;
  return html`
    <h3>What it mixes up</h3>
    <p class="muted">${counted(tried, 'held-out sample')}. “Have I done enough?” below also finds
      their pictures.</p>
    <${Confusion} labels=${version.labels} matrix=${matrix} />`;
}

function square(matrix, size) {
  if (!matrix?.length) return [];
  if (Array.isArray(matrix[0])) return matrix;
  return Array.from({ length: size }, (_, row) => matrix.slice(row * size, (row + 1) * size));
}
