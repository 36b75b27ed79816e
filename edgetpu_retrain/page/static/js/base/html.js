// Copyright 2026 edgetpu_retrain contributors
// SPDX-License-Identifier: Apache-2.0
/** The page's one library in one place: Preact with its hooks, and templates by htm. */

import htm from '../../vendor/htm.js';
import { h } from '../../vendor/preact.js';

export { render } from '../../vendor/preact.js';
export {
  useCallback, useEffect, useLayoutEffect, useMemo, useReducer, useRef, useState,
} from '../../vendor/preact-hooks.js';

export const html = htm.bind(h);

/**
 * Join class names, leaving out those that are false.
 * @param {...(string|false|null|undefined)} names
 * @returns {string}
 */
export function classes(...names) {
  return names.filter(Boolean).join(' ');
}
