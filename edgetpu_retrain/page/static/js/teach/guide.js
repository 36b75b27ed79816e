// Copyright 2026 edgetpu_retrain contributors
// SPDX-License-Identifier: Apache-2.0
/** The three steps to a first model; gone as soon as there is one. */

import { html } from '../base/html.js';
import { Icon } from '../base/icons.js';
import { useStore } from '../base/store.js';
import { BACKGROUND } from '../base/words.js';
import { robot } from '../robot/live.js';

/**
 * @param {{classes: import('../labels/class_list.js').TaughtClass[], onNewClass: () => void}} props
 */
export function Guide({ classes, onNewClass }) {
  const version = useStore(robot, (value) => value.status?.model_version);
  if (version !== 0) return null;
  const objects = classes.filter((each) => each.label !== BACKGROUND);
  const taught = objects.filter((each) => each.count).length;
  const background = classes.some((each) => each.label === BACKGROUND && each.count);
  if (!background && !taught) {
    return html`<${Step} number=${1} title="Show the background">
      Point the camera at the place without any object. Hold the red button, and move the camera
      slowly.
    </${Step}>`;
  }
  if (taught < 2) {
    const waiting = objects.find((each) => !each.count);
    return html`<${Step} number=${2} title=${taught ? 'Teach one more thing' : 'Teach two things'}>
      ${waiting
    ? html`Show it to the camera, hold the button of “<bdi>${waiting.label}</bdi>”, and move slowly
        around it.`
    : html`<button class="primary" onClick=${onNewClass}>
        <${Icon} name="plus" />Name ${taught ? 'the second' : 'the first'} class</button>`}
    </${Step}>`;
  }
  return html`<${Step} number=${3} title="Train">
    Press Train below. It takes some seconds, and the robot uses the model at once.
  </${Step}>`;
}

function Step({ number, title, children }) {
  return html`
    <div class="step">
      <p class="dots" aria-hidden="true">
        ${[1, 2, 3].map((each) => html`<span key=${each} class=${each <= number ? 'on' : ''} />`)}
      </p>
      <h2>Step ${number} of 3: ${title}</h2>
      <p>${children}</p>
    </div>`;
}
