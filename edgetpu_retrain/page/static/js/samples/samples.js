// Copyright 2026 edgetpu_retrain contributors
// SPDX-License-Identifier: Apache-2.0
/** The screen of all samples, by class. */

import { html, useState } from '../base/html.js';
import { useStore } from '../base/store.js';
import { number } from '../base/words.js';
import { SampleGrid } from '../grid/sample_grid.js';
import { useClasses } from '../labels/class_list.js';
import { NameDialog } from '../labels/name_dialog.js';
import { removeClass, renameClass } from '../robot/actions.js';
import { isTeacher, robot } from '../robot/live.js';
import { useSamplePages } from './sample_pages.js';

/** @param {{label: string}} props the class to show; '' = all */
export function Samples({ label }) {
  const pages = useSamplePages(label);
  const teacher = useStore(robot, isTeacher);
  const taught = useClasses().filter((each) => each.count);
  const all = taught.reduce((sum, each) => sum + each.count, 0);
  return html`
    <section class="samples" aria-label="Samples">
      <nav class="chips" aria-label="Classes">
        <${Chip} label="" name="All" count=${all} chosen=${label === ''} />
        ${taught.map((each) => html`<${Chip} key=${each.label} label=${each.label} name=${each.label}
          count=${each.count} chosen=${label === each.label} />`)}
      </nav>
      ${label && html`<${ClassHead} label=${label} />`}
      ${pages.error && html`<p class="problem">${pages.error}</p>`}
      ${pages.loaded && pages.total === 0 && !pages.error && html`
        <p class="empty">${label ? 'This class has no samples.' : 'There are no samples yet.'}${' '}
          ${teacher && html`<a href="#teach">Capture some</a>`}</p>`}
      ${pages.total > 0 && html`
        <${SampleGrid} key=${label} name=${label ? `Samples of ${label}` : 'Samples of all classes'}
          samples=${pages.samples} total=${pages.total} captions=${label === ''}
          onMore=${pages.more} onAll=${pages.all} />`}
    </section>`;
}

function Chip({ label, name, count, chosen }) {
  return html`
    <a class="chip" href=${`#samples/${encodeURIComponent(label)}`}
      aria-current=${chosen ? 'true' : undefined}>
      <span class="name" dir="auto" title=${name}>${name}</span>
      <span class="count">${number(count)}</span></a>`;
}

function ClassHead({ label }) {
  const teacher = useStore(robot, isTeacher);
  const [renaming, setRenaming] = useState(false);
  const rename = async (name) => {
    if (await renameClass(label, name)) location.hash = `#samples/${encodeURIComponent(name)}`;
  };
  const removed = async () => {
    if (await removeClass(label)) location.hash = '#samples/';
  };
  return html`
    <div class="list-head">
      <h2 dir="auto">${label}</h2>
      ${teacher && html`
        <button onClick=${() => setRenaming(true)}>Rename</button>
        <button class="danger" onClick=${removed}>Delete class</button>`}
      ${renaming && html`<${NameDialog} title="Rename class" button="Rename" initial=${label}
        mayExist onName=${rename} onClose=${() => setRenaming(false)} />`}
    </div>`;
}
