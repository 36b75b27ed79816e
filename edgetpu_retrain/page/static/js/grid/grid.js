// Copyright 2026 edgetpu_retrain contributors
// SPDX-License-Identifier: Apache-2.0
/** A grid of thumbnails of any length: only those in sight exist and are loaded. */

import { html, classes, useEffect, useLayoutEffect, useRef, useState } from '../base/html.js';
import { useGestures } from './grid_gestures.js';

const GAP = 4;
const SMALLEST = 78;
const SMALLEST_WIDE = 108;
/** A tile that is in sight for a shorter time, while scrolling, is not loaded. */
const LINGER_MS = 80;

/**
 * @typedef {object} Tile
 * @property {number} id
 * @property {string} name for a screen reader
 * @property {string} [caption]
 * @property {string} picture address; '' = there is none
 */

/**
 * @param {object} props
 * @param {string} props.name for a screen reader
 * @param {Tile[]} props.tiles those that are loaded
 * @param {number} props.total number of tiles, including those that are not loaded yet
 * @param {import('./selection.js').Selection} props.selection
 * @param {() => void} [props.onMore] called when tiles that are not loaded come into sight
 */
export function Grid({ name, tiles, total, selection, onMore }) {
  const box = useRef(null);
  const [active, setActive] = useState(0);
  const { columns, size, first, end } = useWindow(box, total);
  const at = Math.min(active, Math.max(0, total - 1));
  const gestures = useGestures({ box, tiles, selection, columns, active: at, setActive });

  useEffect(() => {
    if (onMore && end > tiles.length && tiles.length < total) onMore();
  }, [end, tiles.length, total]);

  const indices = [];
  for (let index = first; index < end; index += 1) indices.push(index);
  const known = tiles[at] && at >= first && at < end;
  return html`
    <div ref=${box} class="grid" role="listbox" aria-label=${name} aria-multiselectable="true"
      tabindex="0" aria-activedescendant=${known ? `tile-${tiles[at].id}` : undefined}
      style=${{ height: `${Math.ceil(total / columns) * (size + GAP)}px` }} ...${gestures}>
      ${indices.map((index) => html`
        <${GridTile} key=${tiles[index]?.id ?? `missing-${index}`} tile=${tiles[index]} size=${size}
          x=${(index % columns) * (size + GAP)} y=${Math.floor(index / columns) * (size + GAP)}
          index=${index} total=${total} active=${index === at}
          selected=${Boolean(tiles[index]) && selection.has(tiles[index].id)} />`)}
    </div>`;
}

function GridTile({ tile, size, x, y, index, total, active, selected }) {
  const [near, setNear] = useState(false);
  const [broken, setBroken] = useState(false);
  useEffect(() => {
    const timer = setTimeout(() => setNear(true), LINGER_MS);
    return () => clearTimeout(timer);
  }, []);
  // The tiles are new when the list was loaded again, for example because the node is back.
  useEffect(() => setBroken(false), [tile]);
  const style = { width: `${size}px`, height: `${size}px`, transform: `translate(${x}px, ${y}px)` };
  if (!tile) return html`<div class="tile" style=${style} role="presentation"></div>`;
  const shown = near && tile.picture && !broken;
  return html`
    <div class=${classes('tile', active && 'active')} style=${style} id=${`tile-${tile.id}`}
      role="option" aria-label=${tile.name} aria-selected=${selected} aria-setsize=${total}
      aria-posinset=${index + 1} data-index=${index}>
      ${shown && html`<img src=${tile.picture} alt="" draggable=${false} decoding="async"
        onError=${() => setBroken(true)} />`}
      ${(!tile.picture || broken) && html`<span class="no-image">No picture</span>`}
      ${tile.caption && html`<span class="caption" dir="auto">${tile.caption}</span>`}
    </div>`;
}

/**
 * Return which part of a grid is in sight.
 * @param {{current: HTMLElement}} box
 * @param {number} total
 * @returns {{columns: number, size: number, first: number, end: number}} first and end: range of indices
 */
function useWindow(box, total) {
  const [sight, setSight] = useState({ columns: 4, size: SMALLEST, first: 0, end: 0 });
  useLayoutEffect(() => {
    const scroller = box.current.closest('.scroll');
    const measure = () => {
      if (!box.current) return;
      const width = box.current.clientWidth;
      const smallest = width < 500 ? SMALLEST : SMALLEST_WIDE;
      const columns = Math.max(1, Math.floor((width + GAP) / (smallest + GAP)));
      const size = Math.floor((width + GAP) / columns) - GAP;
      const shown = scroller.getBoundingClientRect();
      const top = shown.top - box.current.getBoundingClientRect().top;
      const firstRow = Math.max(0, Math.floor(top / (size + GAP)));
      const endRow = Math.max(0, Math.ceil((top + shown.height) / (size + GAP)));
      const next = {
        columns, size, first: firstRow * columns, end: Math.min(total, endRow * columns),
      };
      setSight((now) => (Object.keys(next).every((key) => next[key] === now[key]) ? now : next));
    };
    measure();
    const observer = new ResizeObserver(measure);
    observer.observe(scroller);
    observer.observe(box.current);
    scroller.addEventListener('scroll', measure, { passive: true });
    return () => {
      observer.disconnect();
      scroller.removeEventListener('scroll', measure);
    };
  }, [total]);
  return sight;
}
