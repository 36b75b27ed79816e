// Copyright 2026 edgetpu_retrain contributors
// SPDX-License-Identifier: Apache-2.0
/** A value that components subscribe to. */

import { useLayoutEffect, useReducer, useRef } from './html.js';

/**
 * @template T
 * @typedef {object} Store
 * @property {() => T} get
 * @property {(change: Partial<T>) => void} set merges `change` and notifies the subscribers
 * @property {(listener: () => void) => () => void} subscribe returns a function that unsubscribes
 */

/**
 * @template T
 * @param {T} value
 * @returns {Store<T>}
 */
export function createStore(value) {
  const listeners = new Set();
  return {
    get: () => value,
    set(change) {
      value = { ...value, ...change };
      for (const listener of [...listeners]) listener();
    },
    subscribe(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
  };
}

/**
 * Return a part of a store's value, and render again whenever this part changes.
 * @template T, R
 * @param {Store<T>} store
 * @param {(value: T) => R} select returns a part of the value, not a new object
 * @returns {R}
 */
export function useStore(store, select) {
  const [, render] = useReducer((count) => count + 1, 0);
  const part = select(store.get());
  const shown = useRef({ part, select });
  shown.current = { part, select };
  useLayoutEffect(() => {
    const check = () => {
      if (!Object.is(shown.current.select(store.get()), shown.current.part)) render();
    };
    check();
    return store.subscribe(check);
  }, [store]);
  return part;
}
