// Copyright 2026 edgetpu_retrain contributors
// SPDX-License-Identifier: Apache-2.0
/** The screen where classes are captured. */

import { html, classes, useState } from '../base/html.js';
import { Icon } from '../base/icons.js';
import { digitOf, isFreeSpace, useKeys } from '../base/keyboard.js';
import { useStore } from '../base/store.js';
import { BACKGROUND, counted } from '../base/words.js';
import { forgetClass, nameClass, useClasses } from '../labels/class_list.js';
import { NameDialog } from '../labels/name_dialog.js';
import { Meter } from '../picture/live_pane.js';
import { video } from '../picture/video.js';
import { isTeacher, robot } from '../robot/live.js';
import { beginHold, capture, endHold, repeatHold } from './capture.js';
import { CaptureButton } from './capture_button.js';
import { Guide } from './guide.js';

/** This many near copies in a row mean that the camera does not move. */
const STANDING = 5;

/** The list of classes with a capture button each. */
export function Teach() {
  const list = useClasses();
  const teacher = useStore(robot, isTeacher);
  const [naming, setNaming] = useState(false);
  useCaptureKeys(list, teacher);
  const add = (label) => {
    nameClass(label);
    setTimeout(() => {
      const button = document.querySelector('.class-row:last-child .capture');
      button?.scrollIntoView({ block: 'center' });
      button?.focus({ preventScroll: true });
    }, 50);
  };
  return html`
    <section class="teach" aria-label="Teach">
      ${teacher && html`<${Guide} classes=${list} onNewClass=${() => setNaming(true)} />`}
      <div class="list-head">
        <h2>Classes</h2>
        ${teacher && html`<button onClick=${() => setNaming(true)}>
          <${Icon} name="plus" />New class</button>`}
      </div>
      ${!teacher && list.every((each) => !each.count) && html`
        <p class="empty">Nothing has been taught yet.</p>`}
      <ul class="class-list">
        ${list.filter((each) => teacher || each.count).map((each, index) => html`
          <${ClassRow} key=${each.label} ...${each} teacher=${teacher}
            shortcut=${index < 9 ? index + 1 : 0} />`)}
      </ul>
      ${naming && html`<${NameDialog} title="New class" button="Add" onName=${add}
        onClose=${() => setNaming(false)} />`}
    </section>`;
}

function useCaptureKeys(list, teacher) {
  useKeys((event) => {
    if (!teacher) return;
    const taught = list[digitOf(event) - 1];
    if (!taught && !isFreeSpace(event)) return;
    event.preventDefault();
    if (event.repeat) return;
    if (taught) beginHold(taught.label);
    else repeatHold();
  }, (event) => {
    if (digitOf(event) > 0 || isFreeSpace(event)) endHold();
  });
}

function ClassRow({ label, count, teacher, shortcut }) {
  const holding = useStore(capture, (value) => value.label === label);
  const tapped = useStore(capture, (value) => value.tapped === label);
  const hold = useStore(robot, (value) => value.holds[label]);
  const total = holding && hold ? Math.max(count, hold.label_total) : count;
  return html`
    <li class=${classes('class-row', holding && 'holding')}>
      <div class="about">
        <span class="name" dir="auto" title=${label}>${label}</span>
        ${teacher && shortcut > 0 && html`<kbd aria-hidden="true">${shortcut}</kbd>`}
        <${Counts} label=${label} total=${total} hold=${hold} holding=${holding}
          tapped=${tapped} />
        <${RowMeter} label=${label} />
      </div>
      ${teacher && total === 0 && label !== BACKGROUND && !holding && html`
        <button class="icon" aria-label=${`Leave out ${label}`} onClick=${() => forgetClass(label)}>
          <${Icon} name="close" /></button>`}
      ${teacher && html`<${CaptureButton} label=${label} shortcut=${shortcut} />`}
    </li>`;
}

function Counts({ label, total, hold, holding, tapped }) {
  if (!total && !holding) {
    const empty = label === BACKGROUND ? 'The scene without any object' : 'No samples yet';
    return html`<span class="counts">${tapped ? 'Hold the button down' : empty}</span>`;
  }
  const samples = counted(total, 'sample');
  const skipped = hold?.skipped ?? 0;
  const still = holding && skipped >= STANDING && skipped > hold.stored;
  let note = skipped > 0 && `${counted(skipped, 'near copy', 'near copies')} left out`;
  if (still) note = `Move the camera: ${counted(skipped, 'near copy', 'near copies')}`;
  if (tapped) note = 'Hold the button down to store more';
  return html`
    <span class="counts">
      <a href=${`#samples/${encodeURIComponent(label)}`} aria-label=${`${samples} of ${label}`}>
        ${samples}</a>
      ${hold && html`<span class="grown"> +${hold.stored}</span>`}
    </span>
    ${note && html`<span class=${classes('note', (still || tapped) && 'hint')}>${note}</span>`}`;
}

function RowMeter({ label }) {
  const result = useStore(video, (value) => value.result);
  const index = result ? result.labels.indexOf(label) : -1;
  return index < 0 ? null : html`<${Meter} label=${label} score=${result.scores[index]} />`;
}
