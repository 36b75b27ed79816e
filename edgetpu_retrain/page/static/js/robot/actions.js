// Copyright 2026 edgetpu_retrain contributors
// SPDX-License-Identifier: Apache-2.0
/** What several screens do to samples, each with its message and undo. */

import { toast, toastError } from '../base/toasts.js';
import { counted, quoted } from '../base/words.js';
import { post } from './api.js';

const UNDO = { name: 'Undo', run: () => undo() };

async function run(path, body, text) {
  try {
    const { message } = await post(path, body);
    toast(text || message, { action: UNDO });
    return true;
  } catch (error) {
    toastError(error);
    return false;
  }
}

/** Take back the last change of the samples or questions. */
export async function undo() {
  await post('/api/undo').then(({ message }) => toast(message), toastError);
}

/** Make the change again that was taken back last. */
export async function redo() {
  await post('/api/redo').then(({ message }) => toast(message), toastError);
}

/**
 * @param {number[]} ids
 * @param {string} label
 * @returns {Promise<boolean>} whether it was done, as of all these
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
