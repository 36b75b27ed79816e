// Copyright 2026 edgetpu_retrain contributors
// SPDX-License-Identifier: Apache-2.0
/** Changes that several screens make, each with a message and undo. */

import { toast, toastError } from '../base/toasts.js';
import { counted, quoted } from '../base/words.js';
import { post } from './api.js';

const UNDO = { name: 'Undo', run: () => undo() };

let last = Promise.resolve();

/** Changes are sent one after the other, in their order, so that undo reverts the last one. */
function change(path, body, tell) {
  last = last.then(() => post(path, body)).then((response) => {
    tell(response.message);
    return true;
  }, (error) => {
    toastError(error);
    return false;
  });
  return last;
}

const run = (path, body, text) => change(path, body, () => toast(text, { action: UNDO }));

/** Undo the last change of samples or questions. */
export const undo = () => change('/api/undo', {}, toast);

/** Redo the change that was undone last. */
export const redo = () => change('/api/redo', {}, toast);

/**
 * @param {number[]} ids
 * @param {string} label
 * @returns {Promise<boolean>} whether it was done, as for the functions below
 */
export const relabel = (ids, label) => run(
  '/api/samples/relabel', { ids, label }, `${counted(ids.length, 'sample')} labelled ${quoted(label)}`,
);

/** @param {number[]} ids */
export const remove = (ids) => run(
  '/api/samples/remove', { ids }, `${counted(ids.length, 'sample')} deleted`,
);

/** @param {string} from @param {string} label */
export const renameClass = (from, label) => run(
  '/api/samples/relabel', { from_label: from, label }, `${quoted(from)} is now ${quoted(label)}`,
);

/** @param {string} label */
export const removeClass = (label) => run(
  '/api/samples/remove', { label }, `Class ${quoted(label)} deleted`,
);

/** @param {number[]} ids @param {string} label '' = dismiss */
export const answer = (ids, label) => run(
  '/api/questions/answer', { ids, label },
  label ? `${counted(ids.length, 'picture')} labelled ${quoted(label)}`
    : `${counted(ids.length, 'picture')} dismissed`,
);

/** Start a training; its progress comes on the live socket. */
export const train = () => post('/api/train').catch(toastError);

/** Cancel the training that runs. */
export const cancelTraining = () => post('/api/train/cancel').catch(toastError);
