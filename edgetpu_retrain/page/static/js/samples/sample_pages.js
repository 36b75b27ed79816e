// Copyright 2026 edgetpu_retrain contributors
// SPDX-License-Identifier: Apache-2.0
/** The samples of a class, loaded page by page as the grid shows them. */

import { useEffect, useReducer, useRef } from '../base/html.js';
import { useStore } from '../base/store.js';
import { get } from '../robot/api.js';
import { robot } from '../robot/live.js';

const PAGE = 500;
const LARGEST_PAGE = 1000;
/** Maximum number of samples that one request may change. */
const MOST = 10000;
const SETTLE_MS = 250;

/**
 * @typedef {object} Sample
 * @property {number} id
 * @property {string} label
 * @property {string} camera
 * @property {number} stamp seconds since 1970
 * @property {boolean} has_image
 */

/**
 * @param {string} label '' = all classes
 * @returns {{samples: Sample[], total: number, loaded: boolean, error: string,
 *   more: () => void, all: () => Promise<Sample[]>}} newest first; more loads the next page
 */
export function useSamplePages(label) {
  const changes = useStore(robot, (value) => value.changes.samples);
  const open = useStore(robot, (value) => value.link === 'open');
  const [, render] = useReducer((count) => count + 1, 0);
  const state = useRef({ label: null }).current;
  if (state.label !== label) {
    Object.assign(state, { label, samples: [], total: 0, loaded: false, error: '', busy: null });
  }

  /** Load `count` samples, or all if there are fewer; the previous ones are shown until then. */
  const load = (count, fresh) => {
    const mine = (async () => {
      let samples = fresh ? [] : state.samples;
      let total = Infinity;
      while (samples.length < Math.min(count, total)) {
        const before = samples.length ? samples[samples.length - 1].id : 0;
        const limit = Math.min(Math.max(PAGE, count - samples.length), LARGEST_PAGE);
        const page = await get(
          `/api/samples?label=${encodeURIComponent(label)}&before=${before}&limit=${limit}`,
        );
        samples = [...samples, ...page.samples];
        total = label ? page.counts[page.labels.indexOf(label)] ?? 0 : page.total;
        if (!page.samples.length) total = samples.length;
      }
      return { samples, total: Number.isFinite(total) ? total : samples.length, error: '' };
    })().catch((error) => ({ error: error.message })).then((outcome) => {
      if (state.busy === mine && state.label === label) {
        Object.assign(state, outcome, { loaded: true, busy: null });
        render();
      }
      return state.samples;
    });
    state.busy = mine;
    return mine;
  };

  useEffect(() => {
    if (!open && state.loaded) return undefined;
    const again = () => load(Math.max(PAGE, state.samples.length), true);
    const timer = setTimeout(again, state.loaded ? SETTLE_MS : 0);
    return () => clearTimeout(timer);
  }, [label, changes, open]);

  const { samples, total, loaded, error } = state;
  return {
    samples,
    total,
    loaded,
    error,
    more: () => {
      if (!state.busy) load(state.samples.length + PAGE, false);
    },
    all: () => load(Math.min(total, MOST), false),
  };
}
