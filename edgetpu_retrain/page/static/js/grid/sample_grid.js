// Copyright 2026 edgetpu_retrain contributors
// SPDX-License-Identifier: Apache-2.0
/** Samples as a grid, with actions on the selected ones. */

import { html, useMemo } from '../base/html.js';
import { useStore } from '../base/store.js';
import { when } from '../base/words.js';
import { relabel, remove } from '../robot/actions.js';
import { isTeacher, robot } from '../robot/live.js';
import { Grid } from './grid.js';
import { useSelection } from './selection.js';
import { SelectionBar } from './selection_bar.js';

/**
 * @param {object} props
 * @param {string} props.name for a screen reader
 * @param {import('../samples/sample_pages.js').Sample[]} props.samples
 * @param {number} props.total
 * @param {boolean} props.captions whether the tiles show their class
 * @param {() => void} [props.onMore]
 * @param {() => Promise<import('../samples/sample_pages.js').Sample[]>} [props.onAll] loads the rest
 */
export function SampleGrid({ name, samples, total, captions, onMore, onAll }) {
  const teacher = useStore(robot, isTeacher);
  const tiles = useMemo(() => samples.map((sample) => ({
    id: sample.id,
    name: `${sample.label}, sample ${sample.id}`,
    caption: captions ? sample.label : '',
    picture: sample.has_image ? `/api/pictures/samples/${sample.id}.jpg` : '',
  })), [samples, captions]);
  const order = useMemo(() => samples.map((sample) => sample.id), [samples]);
  const selection = useSelection(order);
  const chosen = samples.filter((sample) => selection.has(sample.id));
  const selectAll = async () => {
    const all = onAll ? await onAll() : samples;
    selection.set(all.map((sample) => sample.id));
  };
  return html`
    <${SelectionBar} count=${chosen.length} total=${total} teacher=${teacher}
      about=${chosen.length === 1 ? describe(chosen[0]) : ''} onAll=${selectAll}
      onClear=${selection.clear}
      onLabel=${(label) => relabel(order.filter(selection.has), label).then(selection.clear)}
      onRemove=${() => remove(order.filter(selection.has)).then(selection.clear)} />
    <${Grid} name=${name} tiles=${tiles} total=${total} selection=${selection} onMore=${onMore} />`;
}

function describe({ label, camera, stamp }) {
  return [label, camera, stamp > 0 && when(stamp)].filter(Boolean).join(' · ');
}
