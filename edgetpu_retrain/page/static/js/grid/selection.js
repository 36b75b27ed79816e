// Copyright 2026 edgetpu_retrain contributors
// SPDX-License-Identifier: Apache-2.0
/** Which tiles of a grid are selected: by tap, range, drag, key, or all. */

import { useMemo, useReducer, useRef } from '../base/html.js';

/**
 * @typedef {object} Selection
 * @property {Set<number>} ids
 * @property {(id: number) => boolean} has
 * @property {(id: number, on?: boolean) => void} toggle also begins the next range
 * @property {(id: number) => void} extend selects from the last toggled tile to this one
 * @property {(ids: number[]) => void} set
 * @property {() => void} clear
 */

/**
 * @param {number[]} order the ids as the grid shows them
 * @returns {Selection}
 */
export function useSelection(order) {
  const [, render] = useReducer((count) => count + 1, 0);
  const state = useRef({ ids: new Set(), anchor: -1, order }).current;
  state.order = order;
  return useMemo(() => {
    const change = (ids) => {
      state.ids = new Set(ids);
      render();
    };
    return {
      get ids() {
        return state.ids;
      },
      has: (id) => state.ids.has(id),
      toggle(id, on = !state.ids.has(id)) {
        state.anchor = id;
        if (on) change([...state.ids, id]);
        else change([...state.ids].filter((each) => each !== id));
      },
      extend(id) {
        const from = Math.max(0, state.order.indexOf(state.anchor));
        const to = state.order.indexOf(id);
        const [first, last] = from < to ? [from, to] : [to, from];
        change([...state.ids, ...state.order.slice(first, last + 1)]);
      },
      set: change,
      clear: () => change([]),
    };
  }, []);
}
