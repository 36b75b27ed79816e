// Copyright 2026 edgetpu_retrain contributors
// SPDX-License-Identifier: Apache-2.0
/**
 * How tiles are selected: tap or click, shift-click, drag (on touch after a long press), arrow
 * keys with space, shift and Ctrl+A.
 */

import { useEffect, useRef } from '../base/html.js';

const LONG_PRESS_MS = 350;
const WOBBLE_PX = 8;

/**
 * @param {object} grid
 * @param {{current: HTMLElement}} grid.box
 * @param {import('./grid.js').Tile[]} grid.tiles
 * @param {import('./selection.js').Selection} grid.selection
 * @param {number} grid.columns
 * @param {number} grid.active index of the tile with the keyboard's focus
 * @param {(index: number) => void} grid.setActive
 * @returns {Record<string, (event: any) => void>} handlers for the grid's element
 */
export function useGestures({ box, tiles, selection, columns, active, setActive }) {
  /** The current press: its tile and position, and whether it selects (or deselects) by dragging. */
  const press = useRef(null);

  useEffect(() => {
    // While a drag selects tiles, it must not scroll.
    const stay = (event) => {
      if (press.current?.painting && event.cancelable) event.preventDefault();
    };
    const element = box.current;
    element.addEventListener('touchmove', stay, { passive: false });
    return () => element.removeEventListener('touchmove', stay);
  }, []);

  const tileAt = (x, y) => {
    const element = document.elementFromPoint(x, y)?.closest('[data-index]');
    return element && box.current.contains(element) ? Number(element.dataset.index) : -1;
  };
  const paint = (index) => {
    const tile = tiles[index];
    if (tile && selection.has(tile.id) !== press.current.on) {
      selection.toggle(tile.id, press.current.on);
    }
  };
  const beginPainting = () => {
    const { index } = press.current;
    Object.assign(press.current, { painting: true, on: !selection.has(tiles[index].id) });
    paint(index);
  };
  const end = () => {
    clearTimeout(press.current?.timer);
    press.current = null;
  };

  return {
    onPointerDown(event) {
      const index = tileAt(event.clientX, event.clientY);
      if (event.button !== 0 || !tiles[index]) return;
      setActive(index);
      press.current = { index, x: event.clientX, y: event.clientY, painting: false };
      if (event.pointerType !== 'mouse') {
        press.current.timer = setTimeout(beginPainting, LONG_PRESS_MS);
      }
    },
    onPointerMove(event) {
      const now = press.current;
      if (!now) return;
      if (now.painting) {
        paint(tileAt(event.clientX, event.clientY));
      } else if (Math.hypot(event.clientX - now.x, event.clientY - now.y) > WOBBLE_PX) {
        if (event.pointerType === 'mouse') beginPainting();
        else end();
      }
    },
    onPointerUp(event) {
      const now = press.current;
      if (now && !now.painting) {
        const { id } = tiles[now.index];
        if (event.shiftKey) selection.extend(id);
        else selection.toggle(id);
      }
      end();
    },
    onPointerCancel: end,
    onPointerLeave: (event) => {
      if (event.pointerType === 'mouse' && !event.buttons) end();
    },
    onContextMenu: (event) => event.preventDefault(),
    onKeyDown(event) {
      const last = tiles.length - 1;
      const to = {
        ArrowRight: active + 1, ArrowLeft: active - 1,
        ArrowDown: active + columns, ArrowUp: active - columns, Home: 0, End: last,
      }[event.key];
      if (to !== undefined) {
        const next = Math.max(0, Math.min(last, to));
        setActive(next);
        if (event.shiftKey && tiles[next]) {
          if (!selection.has(tiles[active].id)) selection.toggle(tiles[active].id, true);
          selection.extend(tiles[next].id);
        }
        reveal(box.current, Math.floor(next / columns), Math.ceil(tiles.length / columns));
      } else if ((event.key === ' ' || event.key === 'Enter') && tiles[active]) {
        selection.toggle(tiles[active].id);
      } else if (event.key === 'a' && (event.ctrlKey || event.metaKey)) {
        selection.set(tiles.map((tile) => tile.id));
      } else if (event.key === 'Escape') {
        selection.clear();
      } else {
        return;
      }
      event.preventDefault();
    },
  };
}

/** Scroll so that a row is in sight. */
function reveal(box, row, rows) {
  const scroller = box.closest('.scroll');
  const view = scroller.getBoundingClientRect();
  const height = box.clientHeight / rows;
  const top = box.getBoundingClientRect().top + row * height;
  if (top < view.top) scroller.scrollTop -= view.top - top;
  if (top + height > view.bottom) scroller.scrollTop += top + height - view.bottom;
}
