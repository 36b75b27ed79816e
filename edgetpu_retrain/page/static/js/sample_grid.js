// Copyright 2026 edgetpu_retrain contributors
// SPDX-License-Identifier: Apache-2.0
/** Samples as a grid, with what can be done to those selected. */

import { html, useMemo, useState } from './html.js';
import { relabel, remove } from './actions.js';
import { Grid } from './grid.js';
import { Icon } from './icons.js';
import { useKeys } from './keyboard.js';
import { LabelDialog } from './label_dialog.js';
import { robot } from './live.js';
import { useSelection } from './selection.js';
import { useStore } from './store.js';
import { counted, number, when } from './words.js';

/**
 * @param {object} props
 * @param {string} props.name for a screen reader
 * @param {import('./sample_pages.js').Sample[]} props.samples
 * @param {number} props.total
 * @param {boolean} props.captions whether the tiles show their class
 * @param {() => void} [props.onMore]
 * @param {() => Promise<import('./sample_pages.js').Sample[]>} [props.onAll] loads the rest
 */
export function SampleGrid({ name, samples, total, captions, onMore, onAll }) {
  const teacher = useStore(robot, (value) => value.role === 'teacher');
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

/**
 * How many tiles are selected, and what can be done to them.
 * @param {object} props
 * @param {number} props.count
 * @param {number} props.total
 * @param {boolean} props.teacher
 * @param {string} [props.about] what is selected, where it is one
 * @param {() => void} props.onAll
 * @param {() => void} props.onClear
 * @param {(label: string) => void} props.onLabel
 * @param {() => void} props.onRemove
 * @param {string} [props.removeName]
 */
export function SelectionBar(props) {
  const { count, total, teacher, about, onAll, onClear, onLabel, onRemove } = props;
  const { removeName = 'Delete' } = props;
  const [labelling, setLabelling] = useState(false);
  useKeys((event) => {
    if (count && teacher && event.key === 'Delete') onRemove();
    if (count && teacher && event.key === 'l' && !event.ctrlKey && !event.metaKey) {
      event.preventDefault();
      setLabelling(true);
    }
  });
  if (!teacher) return null;
  return html`
    <div class="selection-bar" role="toolbar" aria-label="Selection">
      <p role="status">${count ? `${number(count)} selected` : 'Select pictures to mend them'}
        ${about && html`<span class="muted wide" dir="auto"> · ${about}</span>`}</p>
      ${count < total && html`<button onClick=${onAll} aria-label="Select all">
        ${!count && 'Select '}${count ? 'All' : 'all'}</button>`}
      ${count > 0 && html`
        <button class="icon" aria-label="Clear the selection" onClick=${onClear}>
          <${Icon} name="close" /></button>
        <button onClick=${() => setLabelling(true)}><${Icon} name="label" />Label</button>
        <button class="danger" onClick=${onRemove} aria-label=${removeName}>
          <${Icon} name="remove" /><span class="wide">${removeName}</span></button>`}
      ${labelling && html`<${LabelDialog} title=${`Label ${counted(count, 'picture')} as`}
        onLabel=${onLabel} onClose=${() => setLabelling(false)} />`}
    </div>`;
}
