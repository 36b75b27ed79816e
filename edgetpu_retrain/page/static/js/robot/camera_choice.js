// Copyright 2026 edgetpu_retrain contributors
// SPDX-License-Identifier: Apache-2.0
/** Which camera the page shows and captures from. */

import { createStore, useStore } from '../base/store.js';
import { robot } from './live.js';

const choice = createStore({ camera: '' });

/** @param {string} camera */
export const chooseCamera = (camera) => choice.set({ camera });

/** @returns {string} the chosen camera, or else the first; '' = none */
export function currentCamera() {
  return among(choice.get().camera, robot.get().status);
}

/** @returns {string} as currentCamera */
export function useCamera() {
  const chosen = useStore(choice, (value) => value.camera);
  const status = useStore(robot, (value) => value.status);
  return among(chosen, status);
}

function among(chosen, status) {
  const cameras = status?.cameras ?? [];
  return cameras.includes(chosen) ? chosen : cameras[0] ?? '';
}
