// Copyright 2026 edgetpu_retrain contributors
// SPDX-License-Identifier: Apache-2.0
/** The live picture with its classification. */

import { html, classes, useRef } from '../base/html.js';
import { useStore } from '../base/store.js';
import { number, percent } from '../base/words.js';
import { chooseCamera, useCamera } from '../robot/camera_choice.js';
import { robot } from '../robot/live.js';
import { useVideo, video } from './video.js';

const BARS = 6;

/** The picture of the chosen camera, its classification and confidence bars. */
export function LivePane() {
  const canvas = useRef(null);
  const camera = useCamera();
  useVideo(canvas, camera);
  return html`
    <section class="live" aria-label="Live picture">
      <div class="picture">
        <canvas ref=${canvas} width="640" height="480" role="img"
          aria-label=${camera ? `Live picture of camera ${camera}` : 'No camera'}></canvas>
        <${CameraChoice} camera=${camera} />
        <${Headline} camera=${camera} />
      </div>
      <${Bars} />
    </section>`;
}

function CameraChoice({ camera }) {
  const cameras = useStore(robot, (value) => value.status?.cameras) ?? [];
  if (cameras.length < 2) return null;
  return html`
    <select class="camera" aria-label="Camera" value=${camera}
      onChange=${(event) => chooseCamera(event.target.value)}>
      ${cameras.map((each) => html`<option key=${each} value=${each}>${each}</option>`)}
    </select>`;
}

function Headline({ camera }) {
  const { result, hz, problem } = useStore(video, (value) => value);
  const connected = useStore(robot, (value) => value.status?.connected);
  const lost = useStore(robot, (value) => value.link === 'lost');
  if (lost) return html`<p class="no-picture">No connection to the robot.</p>`;
  if (connected === false) return html`<p class="no-picture">The node does not respond.</p>`;
  if (!camera) return html`<p class="no-picture">The node has no camera.</p>`;
  if (problem) return html`<p class="no-picture">${problem}</p>`;
  if (!result) return null;
  const label = result.smoothed_label || result.labels[0];
  const score = result.scores[result.labels.indexOf(label)];
  return html`
    <div class=${classes('headline', result.unknown && 'unknown')}>
      <span class="name" dir="auto">${label}</span>
      <span class="score">${score === undefined ? '' : percent(score)}</span>
      <span class="facts">Version ${result.model_version}
        ${hz ? ` · ${number(Math.round(hz))} Hz` : ''}</span>
    </div>`;
}

function Bars() {
  const result = useStore(video, (value) => value.result);
  const order = useStore(robot, (value) => value.status?.model_labels) ?? [];
  const version = useStore(robot, (value) => value.status?.model_version);
  if (!result) {
    return version === 0
      ? html`<p class="bars muted">No model yet: capture two classes, then train.</p>` : null;
  }
  return html`
    <div class="bars">
      ${shownScores(result, order).map(({ label, score }) => html`
        <div class=${classes('bar', label === result.labels[0] && 'best')} key=${label}>
          <span class="name" dir="auto">${label}</span>
          <span class="score">${percent(score)}</span>
          <${Meter} label=${label} score=${score} />
        </div>`)}
    </div>`;
}

/**
 * A confidence bar.
 * @param {{label: string, score: number}} props
 */
export function Meter({ label, score }) {
  const share = Math.max(0, Math.min(1, score || 0));
  return html`
    <div class="meter" role="meter" aria-label=${`Confidence ${label}`} aria-valuemin="0"
      aria-valuemax="100" aria-valuenow=${Math.round(100 * share)}
      aria-valuetext=${percent(share)}>
      <div style=${{ transform: `scaleX(${share})` }}></div>
    </div>`;
}

/** Return few classes in a fixed order, so that only the bars move; of many, the best. */
function shownScores({ labels, scores }, order) {
  const all = labels.map((label, index) => ({ label, score: scores[index] }));
  if (all.length > BARS) return all.slice(0, BARS);
  return all.sort((a, b) => order.indexOf(a.label) - order.indexOf(b.label));
}
