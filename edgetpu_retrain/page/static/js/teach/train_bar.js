// Copyright 2026 edgetpu_retrain contributors
// SPDX-License-Identifier: Apache-2.0
/** The bar below the classes that starts a training, and shows its progress and outcome. */

import { html } from '../base/html.js';
import { useStore } from '../base/store.js';
import { counted, measured } from '../base/words.js';
import { TrainingProgress } from './training_progress.js';
import { cancelTraining, train } from '../robot/actions.js';
import { isTeacher, robot } from '../robot/live.js';

/** The bar; hidden from observers, and while there are fewer than two classes. */
export function TrainBar() {
  const status = useStore(robot, (value) => value.status);
  const training = useStore(robot, (value) => value.training);
  const teacher = useStore(robot, isTeacher);
  const counts = status?.counts ?? [];
  if (status?.training || training?.state === 'running') {
    return html`<section class="train-bar" aria-label="Training">
      <${TrainingProgress} training=${training} />
      ${teacher && html`<button onClick=${cancelTraining}>Cancel</button>`}
    </section>`;
  }
  if (counts.length < 2 || !teacher) return null;
  const samples = counts.reduce((sum, count) => sum + count, 0);
  const missing = status.labels.filter((each) => !status.model_labels.includes(each)).length;
  const news = status.model_version > 0 && missing > 0
    && `${counted(missing, 'class is', 'classes are')} not in the model yet`;
  return html`
    <section class="train-bar" aria-label="Training">
      <p>${news || (training ? html`<${Outcome} training=${training} />`
    : `${counted(counts.length, 'class', 'classes')}, ${counted(samples, 'sample')}`)}</p>
      <button class="primary" onClick=${train}>Train</button>
    </section>`;
}

function Outcome({ training }) {
  if (!training) return null;
  if (training.state !== 'done') {
    return html`<span dir="auto">${training.state === 'cancelled' ? 'Training cancelled'
      : `Training failed: ${training.message}`}</span>`;
  }
  const { model_version: version, validation_accuracy: accuracy, held_out_unit: unit } =
    training.result ?? {};
  return html`Version ${version} is in use
    ${Number.isFinite(accuracy) && html`: ${measured(accuracy, unit)}`}.
    ${' '}<a href="#model">Result</a>`;
}
