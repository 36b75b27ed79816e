// Copyright 2026 edgetpu_retrain contributors
// SPDX-License-Identifier: Apache-2.0
/** A training's progress with its loss curve. */

import { Curve } from '../base/curve.js';
import { html } from '../base/html.js';
import { useStore } from '../base/store.js';
import { counted, percent } from '../base/words.js';
import { cancelTraining, train } from '../robot/actions.js';
import { isTeacher, robot } from '../robot/live.js';
import { TrainingProgress } from '../teach/training_progress.js';
import { Card } from './card.js';

/** The part of the model screen that starts a training and shows it. */
export function TrainingPart() {
  const status = useStore(robot, (value) => value.status);
  const training = useStore(robot, (value) => value.training);
  const teacher = useStore(robot, isTeacher);
  const running = status?.training || training?.state === 'running';
  if (!teacher && !running) return null;
  return html`
    <${Card} title="Train">
      ${running ? html`<${TrainingProgress} training=${training} />`
    : html`<${Ready} status=${status} />`}
      ${training?.curve.length > 3 && html`<${LossCurve} curve=${training.curve} />`}
      ${running && training && html`<p class="muted">${accuracies(training)}</p>`}
      ${!running && training?.state === 'failed'
        && html`<p class="problem" dir="auto">${training.message}</p>`}
      ${!running && training?.state === 'cancelled' && html`<p>The training was cancelled.</p>`}
      ${teacher && html`<div class="actions">
        ${running ? html`<button onClick=${cancelTraining}>Cancel the training</button>`
    : html`<button class="primary" disabled=${!(status?.labels.length > 1)} onClick=${train}>
            Train</button>`}
      </div>`}
    </${Card}>`;
}

function Ready({ status }) {
  const counts = status?.counts ?? [];
  if (counts.length < 2) {
    return html`<p>A training needs samples of two classes. <a href="#teach">Capture them</a>.</p>`;
  }
  const samples = counts.reduce((sum, count) => sum + count, 0);
  return html`<p>Trains a new version on all ${counted(samples, 'sample')} of
    ${' '}${counted(counts.length, 'class', 'classes')}. The one in use goes on meanwhile.</p>`;
}

function accuracies({ train_accuracy: trained, validation_accuracy: heldOut }) {
  const parts = [];
  if (Number.isFinite(trained)) parts.push(`${percent(trained)} of the samples right`);
  if (Number.isFinite(heldOut)) parts.push(`${percent(heldOut)} of those held out`);
  return parts.join(', ');
}

/** @param {{curve: [number, number][]}} props */
function LossCurve({ curve }) {
  const losses = curve.map(([, loss]) => loss);
  const [last, loss] = curve[curve.length - 1];
  return html`<${Curve} points=${curve} highest=${Math.max(...losses) || 1}
    words=${`Loss ${losses[0].toFixed(2)} to ${loss.toFixed(2)} in ${counted(last, 'iteration')}`} />`;
}
