// Copyright 2026 edgetpu_retrain contributors
// SPDX-License-Identifier: Apache-2.0
/** A line through points. */

import { html } from './html.js';

const WIDTH = 300;
const HEIGHT = 100;

/**
 * @param {object} props
 * @param {[number, number][]} props.points x and y; x grows
 * @param {number} props.highest the y at the top; 0 is at the bottom
 * @param {string} props.words what the line shows
 */
export function Curve({ points, highest, words }) {
  const [first, last] = [points[0][0], points[points.length - 1][0]];
  const line = points.map(([x, y]) => [
    (WIDTH * (x - first)) / (last - first || 1), HEIGHT * (1 - y / highest),
  ].map((value) => value.toFixed(1)).join(',')).join(' ');
  return html`
    <figure class="curve">
      <svg viewBox=${`0 -4 ${WIDTH} ${HEIGHT + 8}`} preserveAspectRatio="none" aria-hidden="true">
        <line x1="0" y1=${HEIGHT} x2=${WIDTH} y2=${HEIGHT} />
        <polyline points=${line} />
      </svg>
      <figcaption>${words}</figcaption>
    </figure>`;
}
