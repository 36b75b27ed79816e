// Copyright 2026 edgetpu_retrain contributors
// SPDX-License-Identifier: Apache-2.0
/** Numbers and names as people read them. */

const DATE = new Intl.DateTimeFormat(undefined, {
  day: 'numeric', month: 'short', hour: '2-digit', minute: '2-digit',
});
const NUMBER = new Intl.NumberFormat('en');

/** The class of views without any object. */
export const BACKGROUND = 'background';

/** @param {number} value */
export const number = (value) => NUMBER.format(value);

/**
 * @param {number} count
 * @param {string} one
 * @param {string} [many]
 * @returns {string} such as '1 sample' or '5,000 samples'
 */
export function counted(count, one, many = `${one}s`) {
  return `${number(count)} ${count === 1 ? one : many}`;
}

/**
 * @param {number|null|undefined} share 0 to 1
 * @returns {string} such as '94 %'; only exact values become '0 %' and '100 %'
 */
export function percent(share) {
  if (typeof share !== 'number' || !Number.isFinite(share)) return 'not measured';
  const rounded = Math.round(100 * share);
  if ((rounded === 100 && share < 1) || (rounded === 0 && share > 0)) {
    return `${Math.min(Math.max(Math.floor(1000 * share), 1), 999) / 10} %`;
  }
  return `${rounded} %`;
}

/**
 * A held-out accuracy with what was held out, because single frames of a burst are too easy.
 * @param {number|null} accuracy 0 to 1
 * @param {string} unit 'recordings', 'blocks' or 'frames'
 * @returns {string}
 */
export function measured(accuracy, unit) {
  if (!Number.isFinite(accuracy)) return 'not measured';
  if (unit === 'recordings') return `${percent(accuracy)} of held-out recordings right`;
  return `${percent(accuracy)} of held-out ${unit} of the same recordings: `
    + 'says nothing about another day';
}

/**
 * A label in a sentence: in quotes, and isolated from the sentence's direction.
 * @param {string} label
 * @returns {string}
 */
export const quoted = (label) => `“\u2068${label}\u2069”`;

/** @param {number} seconds since 1970 @returns {string} */
export const when = (seconds) => DATE.format(new Date(1000 * seconds));

/**
 * @param {string[]} parts
 * @returns {string} such as 'a, b and c'
 */
export function listed(parts) {
  if (parts.length < 2) return parts.join('');
  return `${parts.slice(0, -1).join(', ')} and ${parts[parts.length - 1]}`;
}
