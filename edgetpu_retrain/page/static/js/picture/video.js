// Copyright 2026 edgetpu_retrain contributors
// SPDX-License-Identifier: Apache-2.0
/** Live pictures: requests the newest frame as soon as the previous one is drawn. */

import { useEffect } from '../base/html.js';
import { createStore, useStore } from '../base/store.js';
import { robot, socketAddress } from '../robot/live.js';

const RETRY_MS = 1000;
const LATE_MS = 3000;
const WIDEST = 1280;

/**
 * @typedef {object} Classification
 * @property {number} model_version
 * @property {boolean} unknown
 * @property {string[]} labels best first
 * @property {number[]} scores of the labels, 0 to 1
 * @property {string} smoothed_label
 */

/** The newest frame's classification, and why there is no picture. */
export const video = createStore({
  /** @type {Classification|null} */
  result: null,
  hz: 0,
  problem: '',
});

/**
 * Draw a camera's pictures while the page is visible.
 * @param {{current: HTMLCanvasElement}} canvas
 * @param {string} camera '' = none
 */
export function useVideo(canvas, camera) {
  const open = useStore(robot, (value) => value.link === 'open');
  useEffect(() => {
    if (!camera || !open) return undefined;
    clear(canvas.current, camera);
    let end = null;
    const follow = () => {
      const visible = document.visibilityState === 'visible';
      if (visible && !end) end = play(canvas.current, camera);
      if (!visible && end) {
        end();
        end = null;
      }
    };
    follow();
    document.addEventListener('visibilitychange', follow);
    return () => {
      document.removeEventListener('visibilitychange', follow);
      end?.();
      video.set({ result: null, hz: 0, problem: '' });
    };
  }, [camera, open]);
}

/** Remove the picture of another camera. */
function clear(canvas, camera) {
  if (canvas.dataset.camera === camera) return;
  canvas.dataset.camera = camera;
  delete canvas.dataset.stamp;
  canvas.getContext('2d').clearRect(0, 0, canvas.width, canvas.height);
}

function play(canvas, camera) {
  let socket = null;
  let timer = 0;
  let ended = false;
  let drawn = Date.now();

  const next = () => {
    const width = Math.min(Math.round((canvas.clientWidth || 320) * devicePixelRatio), WIDEST);
    if (socket.readyState === WebSocket.OPEN) socket.send(JSON.stringify({ type: 'next', width }));
  };
  const open = () => {
    socket = new WebSocket(socketAddress(`/video?camera=${encodeURIComponent(camera)}`));
    socket.binaryType = 'arraybuffer';
    socket.onopen = next;
    socket.onmessage = async ({ data }) => {
      if (typeof data === 'string') {
        video.set({ problem: JSON.parse(data).message ?? '' });
        return;
      }
      const { header, jpeg } = unpack(data);
      const bitmap = await createImageBitmap(new Blob([jpeg], { type: 'image/jpeg' }))
        .catch(() => null);
      if (ended) return;
      if (bitmap) draw(canvas, bitmap, header);
      drawn = Date.now();
      video.set({ result: header.result, hz: header.hz, problem: header.message || '' });
      next();
    };
    socket.onclose = () => {
      if (!ended) timer = setTimeout(open, RETRY_MS);
    };
  };
  const watch = setInterval(() => {
    const seconds = Math.round((Date.now() - drawn) / 1000);
    if (1000 * seconds >= LATE_MS) {
      video.set({ result: null, problem: `No picture for ${seconds} s. Is the camera running?` });
    } else if (!canvas.dataset.stamp) {
      video.set({ problem: 'Waiting for the first picture…' });
    }
  }, 1000);
  open();
  return () => {
    ended = true;
    clearTimeout(timer);
    clearInterval(watch);
    socket.close();
  };
}

/**
 * @param {ArrayBuffer} data uint32 length of the header, big-endian; the header as JSON; a JPEG
 * @returns {{header: any, jpeg: Uint8Array<ArrayBuffer>}}
 */
function unpack(data) {
  const length = new DataView(data).getUint32(0);
  const header = JSON.parse(new TextDecoder().decode(new Uint8Array(data, 4, length)));
  return { header, jpeg: new Uint8Array(data, 4 + length) };
}

function draw(canvas, bitmap, header) {
  if (canvas.width !== bitmap.width || canvas.height !== bitmap.height) {
    canvas.width = bitmap.width;
    canvas.height = bitmap.height;
  }
  canvas.getContext('2d').drawImage(bitmap, 0, 0);
  bitmap.close();
  canvas.dataset.stamp = header.stamp;
}
