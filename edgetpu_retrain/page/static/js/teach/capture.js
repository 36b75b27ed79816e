// Copyright 2026 edgetpu_retrain contributors
// SPDX-License-Identifier: Apache-2.0
/** Capture: the node stores frames of a class for as long as its button is held. */

import { createStore } from '../base/store.js';
import { announce, toast, toastError } from '../base/toasts.js';
import { counted } from '../base/words.js';
import { currentClasses } from '../labels/class_list.js';
import { currentCamera } from '../robot/camera_choice.js';
import { onMessage, robot, send } from '../robot/live.js';

const HOLD_ON_MS = 250;
/** A shorter press counts as a click: the page then explains that the button must be held. */
const TAP_MS = 400;

/** Which class is captured now, which was last, and which was only tapped. */
export const capture = createStore({ label: '', last: '', tapped: '' });

let number = Math.floor(Math.random() * 1e6);
let timer = 0;
let since = 0;

/**
 * Begin to store frames of a class.
 * @param {string} label
 */
export function beginHold(label) {
  if (capture.get().label) endHold();
  const { role, status } = robot.get();
  if (role !== 'teacher') return;
  if (!status?.connected) {
    toastError('The node does not respond, so nothing is stored.');
    return;
  }
  number += 1;
  since = Date.now();
  if (!send({ type: 'hold', label, camera: currentCamera(), hold: number })) {
    toastError('There is no connection to the robot, so nothing is stored.');
    return;
  }
  robot.set({ holds: { ...robot.get().holds, [label]: undefined } });
  capture.set({ label, last: label, tapped: '' });
  clearInterval(timer);
  timer = setInterval(() => send({ type: 'hold_on', hold: number }), HOLD_ON_MS);
}

/** End the capture that runs; without one, do nothing. */
export function endHold() {
  const { label } = capture.get();
  if (!label) return;
  clearInterval(timer);
  send({ type: 'release', hold: number });
  capture.set({ label: '', tapped: Date.now() - since < TAP_MS ? label : '' });
}

/** Capture the last class again; without one, do nothing. */
export function repeatHold() {
  const { last } = capture.get();
  if (currentClasses().some((each) => each.label === last)) beginHold(last);
}

/** End a capture whenever the page may no longer see the button's release. */
export function guardHolds() {
  addEventListener('blur', endHold);
  addEventListener('pagehide', endHold);
  document.addEventListener('visibilitychange', endHold);
  robot.subscribe(() => {
    if (robot.get().link !== 'open') endHold();
  });
  onMessage((message) => {
    if (message.type === 'refused') {
      endHold();
      toastError(message.message);
    }
    if (message.type !== 'hold' || !message.ended) return;
    if (message.reason !== 'released') {
      if (capture.get().label === message.label) endHold();
      toast(message.message || 'The capture ended.', { kind: 'error' });
    }
    announce(`${message.label}: ${counted(message.stored, 'sample')} stored, `
      + `${counted(message.skipped, 'near copy', 'near copies')}.`);
  });
}
