// Copyright 2026 edgetpu_retrain contributors
// SPDX-License-Identifier: Apache-2.0
/** “Have I done enough?”: what an analysis of the samples says, and what to do next. */

import { Curve } from '../base/curve.js';
import { html, useMemo, useState } from '../base/html.js';
import { useStore } from '../base/store.js';
import { toastError } from '../base/toasts.js';
import { number, percent } from '../base/words.js';
import { relabel } from '../robot/actions.js';
import { post } from '../robot/api.js';
import { isTeacher, robot } from '../robot/live.js';
import { Card } from './card.js';

/**
 * @param {object} props
 * @param {any} props.analysis as /api/analysis responds
 * @param {string} props.error
 */
export function AnalysisPart({ analysis, error }) {
  const teacher = useStore(robot, isTeacher);
  const [asked, setAsked] = useState(false);
  const state = analysis?.state ?? 'none';
  const running = state === 'running' || asked;
  const start = async () => {
    setAsked(true);
    await post('/api/analysis').catch(toastError);
    setAsked(false);
  };
  return html`
    <${Card} title="Have I done enough?">
      ${error && html`<p class="problem">${error}</p>`}
      ${state === 'none' && !running && !teacher && html`<p>The samples have not been checked.</p>`}
      ${state === 'none' && !running && teacher && html`<p>Checks all samples: whether more would help, which
        labels look wrong, and what is confused with what. Takes up to a few minutes.</p>`}
      ${running && html`<div class="progress"><p>${analysis?.step || 'Checking the samples'}…</p>
        <progress aria-label="Checking the samples" value=${analysis?.progress || undefined}>
        </progress></div>`}
      ${state === 'failed' && html`<p class="problem" dir="auto">${analysis.message}</p>`}
      ${analysis?.headline && html`<${Findings} analysis=${analysis} teacher=${teacher} />`}
      ${teacher && !running && html`<div class="actions">
        <button class=${state === 'ready' && !analysis.stale ? '' : 'primary'} onClick=${start}>
          ${state === 'ready' ? 'Check again' : 'Check the samples'}</button>
      </div>`}
    </${Card}>`;
}

function Findings({ analysis, teacher }) {
  const { headline, advice = [], problems = [], suspects = [], learning_curve: curve } = analysis;
  const suspectsLeft = useMemo(() => suspects.slice(0, 12), [suspects]);
  return html`
    ${analysis.stale && html`<p class="muted">Samples or models have changed since this check.</p>`}
    <p class="verdict" data-enough=${analysis.enough} dir="auto">${headline}</p>
    <ul class="advice">${advice.map((each) => html`<li key=${each} dir="auto">${each}</li>`)}</ul>
    ${problems.length > 0 && html`<h3>Fix first</h3>
      <ul class="advice">${problems.map((each, index) => html`<li key=${index} dir="auto">
        ${text(each)}</li>`)}</ul>`}
    ${suspectsLeft.length > 0 && html`<h3>Labels that look wrong</h3>
      <ul class="suspects">${suspectsLeft.map((each) => html`<${Suspect} key=${each.id}
        suspect=${each} teacher=${teacher} />`)}</ul>`}
    ${curve?.length > 1 && html`<h3>With more samples</h3><${LearningCurve} curve=${curve} />`}`;
}

/** Return a problem, which is a sentence or a title with a sentence, as text. */
function text(problem) {
  if (typeof problem === 'string') return problem;
  return html`<b>${problem.title}:</b> ${problem.text ?? problem.advice ?? ''}`;
}

function Suspect({ suspect: { id, label, suggested, certainty }, teacher }) {
  const [done, setDone] = useState(false);
  const accept = async () => setDone(await relabel([id], suggested));
  return html`
    <li>
      <img src=${`/api/pictures/samples/${id}.jpg`} alt="" loading="lazy" />
      <span>Labelled <bdi><b>${label}</b></bdi>, looks like <bdi><b>${suggested}</b></bdi>
        ${Number.isFinite(certainty) && html`<span class="muted"> (${percent(certainty)})</span>`}
      </span>
      ${teacher && (done ? html`<span class="muted">Corrected</span>` : html`
        <button onClick=${accept} aria-label=${`Label sample ${id} as ${suggested}`}>
          It is <bdi>${suggested}</bdi></button>`)}
    </li>`;
}

/** @param {{curve: [number, number][]}} props samples and accuracy */
function LearningCurve({ curve }) {
  const [[fewest, from], [all, to]] = [curve[0], curve[curve.length - 1]];
  return html`<${Curve} points=${curve} highest=${1}
    words=${`With ${number(fewest)} samples ${percent(from)} are right, with ${number(all)}, ${
  percent(to)}.`} />`;
}
