// Copyright 2026 edgetpu_retrain contributors
// SPDX-License-Identifier: Apache-2.0
/** The progress of a training. */

import { html } from '../base/html.js';
import { percent } from '../base/words.js';

/**
 * Show the share of the iterations that are done.
 * @param {{training: import('../robot/live.js').Training|null}} props
 */
export function TrainingProgress({ training }) {
  const { iteration = 0, num_iter: all = 0 } = training?.state === 'running' ? training : {};
  const share = all ? iteration / all : 0;
  return html`
    <div class="progress">
      <p>Training ${all > 0 && percent(share)}</p>
      <progress aria-label="Training" max="1" value=${share}></progress>
    </div>`;
}
