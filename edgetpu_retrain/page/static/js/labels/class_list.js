// Copyright 2026 edgetpu_retrain contributors
// SPDX-License-Identifier: Apache-2.0
/** The classes in the page's order: the background, those with samples, those just named. */

import { createStore, useStore } from '../base/store.js';
import { BACKGROUND } from '../base/words.js';
import { robot } from '../robot/live.js';

const KEY = 'new classes';

/** Classes that were named on this page and have no sample yet. */
const named = createStore({ labels: JSON.parse(sessionStorage.getItem(KEY) || '[]') });

/**
 * @typedef {object} TaughtClass
 * @property {string} label
 * @property {number} count
 */

/**
 * @param {string[]} labels
 * @param {number[]} counts
 * @param {string[]} extra
 * @returns {TaughtClass[]} always with the background, first
 */
function ordered(labels, counts, extra) {
  const count = new Map(labels.map((label, index) => [label, counts[index]]));
  const all = new Set([BACKGROUND, ...labels, ...extra]);
  return [...all].map((label) => ({ label, count: count.get(label) ?? 0 }));
}

/** @returns {TaughtClass[]} */
export function useClasses() {
  const status = useStore(robot, (value) => value.status);
  const extra = useStore(named, (value) => value.labels);
  return ordered(status?.labels ?? [], status?.counts ?? [], extra);
}

/** @returns {TaughtClass[]} */
export function currentClasses() {
  const { status } = robot.get();
  return ordered(status?.labels ?? [], status?.counts ?? [], named.get().labels);
}

/**
 * Add a class to the list; the node stores it with its first sample.
 * @param {string} label
 * @returns {string} '' or what is wrong with the name
 */
export function nameClass(label) {
  const problem = problemOf(label);
  if (!problem) keep([...named.get().labels, label]);
  return problem;
}

/** @param {string} label a class without samples, to remove from the list */
export function forgetClass(label) {
  keep(named.get().labels.filter((each) => each !== label));
}

/**
 * @param {string} label
 * @returns {string} '' or why a class cannot have this name; the node checks it, too
 */
export function problemOf(label) {
  if (!label.trim()) return 'Give the class a name, such as “mug”.';
  if ([...label].length > 100) return 'Use at most 100 characters.';
  if (/[/\\]/.test(label)) return 'Use a name without slashes.';
  if (label.trim().toLowerCase() === 'unknown') {
    return 'The robot says “unknown” for what matches no class. Use another name.';
  }
  if (currentClasses().some((each) => each.label === label)) return 'This class exists already.';
  return '';
}

function keep(labels) {
  sessionStorage.setItem(KEY, JSON.stringify(labels));
  named.set({ labels });
}
