// Copyright 2026 edgetpu_retrain contributors
// SPDX-License-Identifier: Apache-2.0
/** The screen of the model: training, result, analysis, versions, export and import. */

import { html } from '../base/html.js';
import { useResource } from '../robot/api.js';
import { AnalysisPart } from './analysis.js';
import { ResultPart } from './result.js';
import { TrainingPart } from './training.js';
import { TransferPart } from './transfer.js';
import { VersionsPart } from './versions.js';

/** All parts of the screen. */
export function Model() {
  const models = useResource('/api/models', 'models');
  const analysis = useResource('/api/analysis', 'analysis', 'samples', 'models');
  return html`
    <section class="model" aria-label="Model">
      <${TrainingPart} />
      <${ResultPart} models=${models.data} analysis=${analysis.data} />
      <${AnalysisPart} analysis=${analysis.data} error=${analysis.error} />
      <${VersionsPart} models=${models.data} error=${models.error} />
      <${TransferPart} />
    </section>`;
}
