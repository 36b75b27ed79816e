// Copyright 2026 edgetpu_retrain contributors
// SPDX-License-Identifier: Apache-2.0
/** Requests to the page's server. */

import { useEffect, useReducer, useRef } from '../base/html.js';
import { useStore } from '../base/store.js';
import { robot } from './live.js';

/**
 * Request JSON.  Every failure is an Error whose message is a sentence for the user.
 * @param {string} path such as '/api/me'
 * @param {RequestInit} [options]
 * @returns {Promise<any>}
 */
async function request(path, options) {
  const response = await fetched(path, options);
  return response.json().catch(() => null);
}

async function fetched(path, options) {
  let response;
  try {
    response = await fetch(path, { credentials: 'same-origin', ...options });
  } catch {
    throw new Error('The robot does not respond: check the connection, and try again.');
  }
  if (!response.ok) {
    const body = await response.json().catch(() => null);
    const error = new Error(body?.message || `The robot refused this (HTTP ${response.status}).`);
    throw Object.assign(error, { status: response.status });
  }
  return response;
}

/** Time limit of a change; one that takes longer has lost its connection. */
const LONGEST_MS = 60000;

/** @param {string} path */
export const get = (path) => request(path);

/**
 * @param {string} path
 * @param {object} [body]
 */
export const post = (path, body = {}) => request(path, {
  method: 'POST',
  headers: { 'Content-Type': 'application/json' },
  signal: AbortSignal.timeout?.(LONGEST_MS),
  body: JSON.stringify(body),
});

/**
 * @param {string} path
 * @param {Blob} file
 */
export const upload = (path, file) => request(path, {
  method: 'POST',
  headers: { 'Content-Type': 'application/zip' },
  body: file,
});

/**
 * Save a file of the robot on this device.
 * @param {string} path
 * @param {string} name
 */
export async function download(path, name) {
  const link = document.createElement('a');
  link.href = URL.createObjectURL(await (await fetched(path)).blob());
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 60000);
}

/**
 * Load a resource, and reload it whenever the robot reports a change, or is back after a lost
 * connection.  The previous content is shown meanwhile.
 * @param {string} path
 * @param {...('samples'|'questions'|'models'|'analysis')} kinds the kinds of changes that affect it
 * @returns {{data: any, error: string, loading: boolean, reload: () => Promise<void>}}
 *   reload resolves when the newest state is loaded
 */
export function useResource(path, ...kinds) {
  const changes = useStore(
    robot, (value) => kinds.reduce((sum, kind) => sum + value.changes[kind], 0),
  );
  const open = useStore(robot, (value) => value.link === 'open');
  const [, render] = useReducer((count) => count + 1, 0);
  const state = useRef({ data: null, error: '', loading: true, path, turn: 0 }).current;
  if (state.path !== path) Object.assign(state, { data: null, error: '', loading: true, path });

  const reload = () => {
    const turn = ++state.turn;
    state.loading = true;
    state.latest = get(path)
      .then((data) => ({ data, error: '' }), (error) => ({ error: error.message }))
      .then((outcome) => {
        if (turn !== state.turn) return state.latest;
        Object.assign(state, outcome, { loading: false });
        render();
        return undefined;
      });
    return state.latest;
  };
  useEffect(() => {
    if (!open && state.data) return undefined;
    const timer = setTimeout(reload, state.data ? 150 : 0);
    return () => clearTimeout(timer);
  }, [path, changes, open]);
  return { data: state.data, error: state.error, loading: state.loading, reload };
}
