// Copyright 2026 edgetpu_retrain contributors
// SPDX-License-Identifier: Apache-2.0
/** The live socket: what the robot reports, in one store, and what the page sends. */

import { createStore } from '../base/store.js';

/**
 * @typedef {object} Status what the node reports about itself
 * @property {boolean} connected whether the node responds
 * @property {string[]} cameras
 * @property {string[]} labels classes with samples
 * @property {number[]} counts samples of each
 * @property {number} questions open questions
 * @property {number} model_version 0 = none
 * @property {string[]} model_labels
 * @property {boolean} training
 * @property {string} last_training
 * @property {string[]} problems
 *
 * @typedef {object} Training
 * @property {'running'|'done'|'failed'|'cancelled'} state
 * @property {number} [iteration]
 * @property {number} [num_iter]
 * @property {number} [train_accuracy]
 * @property {number} [validation_accuracy]
 * @property {[number, number][]} curve iteration and loss
 * @property {string} [message]
 * @property {object} [result]
 *
 * @typedef {object} Hold what one hold of a capture button has stored
 * @property {number} stored
 * @property {number} skipped near copies
 * @property {number} label_total
 * @property {boolean} [ended]
 * @property {string} [message]
 */

/** What the robot reported last. */
export const robot = createStore({
  /** @type {'teacher'|'observer'|''} '' = not known yet */
  role: '',
  node: '',
  /** @type {'connecting'|'open'|'lost'} */
  link: 'connecting',
  /** Why the server refuses this browser; '' = it does not, or does not respond. */
  refused: '',
  /** @type {Status|null} */
  status: null,
  /** @type {Training|null} */
  training: null,
  /** @type {Record<string, Hold>} by label */
  holds: {},
  changes: { samples: 0, questions: 0, models: 0, analysis: 0 },
});

/** For useStore: whether this visitor may change anything. */
export const isTeacher = (value) => value.role === 'teacher';

const PING_MS = 4000;
const SILENCE_MS = 10000;
const FIRST_RETRY_MS = 400;
const LAST_RETRY_MS = 4000;

let socket = null;
let retry = FIRST_RETRY_MS;
let retryTimer = 0;
let heard = 0;
let fresh = false;
const listeners = new Set();

/** Connect, and connect again whenever the connection is lost. */
export function connect() {
  open();
  setInterval(checkSilence, PING_MS);
  const now = () => {
    if (document.visibilityState === 'visible' && robot.get().link !== 'open') open();
  };
  addEventListener('online', now);
  document.addEventListener('visibilitychange', now);
}

/**
 * Send a message.
 * @param {object} message
 * @returns {boolean} false if there is no connection
 */
export function send(message) {
  if (socket?.readyState !== WebSocket.OPEN) return false;
  socket.send(JSON.stringify(message));
  return true;
}

/**
 * Call a function with each message of the robot.
 * @param {(message: any) => void} listener
 */
export function onMessage(listener) {
  listeners.add(listener);
}

/** @param {string} path @returns {string} the address of a WebSocket of this server */
export function socketAddress(path) {
  return `${location.protocol === 'https:' ? 'wss' : 'ws'}://${location.host}${path}`;
}

function open() {
  clearTimeout(retryTimer);
  if (socket) {
    socket.onopen = socket.onmessage = socket.onclose = null;
    socket.close();
  }
  const mine = new WebSocket(socketAddress('/live'));
  socket = mine;
  heard = Date.now();
  mine.onopen = () => {
    retry = FIRST_RETRY_MS;
    heard = Date.now();
    fresh = true;
    robot.set({ link: 'open' });
  };
  mine.onmessage = (event) => {
    heard = Date.now();
    const message = JSON.parse(event.data);
    receive(message);
    for (const listener of listeners) listener(message);
  };
  mine.onclose = () => {
    robot.set({ link: 'lost' });
    retryTimer = setTimeout(open, retry);
    retry = Math.min(2 * retry, LAST_RETRY_MS);
  };
}

function checkSilence() {
  if (robot.get().link !== 'open') return;
  if (Date.now() - heard > SILENCE_MS) {
    // The network is gone, but the browser has not closed the socket yet.
    robot.set({ link: 'lost' });
    open();
  } else {
    send({ type: 'ping' });
  }
}

function receive(message) {
  const { type, ...rest } = message;
  const { changes, holds, training } = robot.get();
  if (type === 'status') {
    // A training may have ended while there was no connection.
    const over = fresh && !rest.training && training?.state === 'running';
    fresh = false;
    robot.set({ status: rest, training: over ? null : training });
  } else if (type === 'training') {
    robot.set({ training: nextTraining(training, rest) });
  } else if (type === 'hold') {
    robot.set({ holds: { ...holds, [rest.label]: rest } });
  } else if (type in changes) {
    robot.set({ changes: { ...changes, [type]: changes[type] + 1 } });
  }
}

function nextTraining(before, message) {
  if (message.state !== 'running') return { curve: before?.curve ?? [], ...message };
  const goesOn = before?.state === 'running' && message.iteration >= (before.iteration ?? 0);
  const curve = goesOn ? before.curve : [];
  if (!Number.isFinite(message.loss)) return { ...message, curve };
  return { ...message, curve: [...curve, [message.iteration, message.loss]] };
}
