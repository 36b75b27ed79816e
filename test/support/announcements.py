# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
"""What a screen reader announces of the teaching page: what is added to its live regions."""

from __future__ import annotations

from typing import Any

# Notices stay until they are closed, however slow the machine is.  A region that is inserted with
# text counts, because many screen readers announce it.
_LISTEN = """
const LONG_MS = 5000, AN_HOUR_MS = 3600000;
const later = window.setTimeout;
window.setTimeout = (run, ms, ...more) => later(run, ms > LONG_MS ? AN_HOUR_MS : ms, ...more);

const LIVE = '[role="status"], [role="alert"]';
window.announced = [];
new MutationObserver((changes) => {
  const texts = new Map();
  for (const { type, target, addedNodes } of changes) {
    for (const node of type === 'characterData' ? [target] : addedNodes) {
      const element = node.nodeType === Node.ELEMENT_NODE ? node : node.parentElement;
      const around = element?.closest(LIVE);
      if (around?.getAttribute('aria-atomic') === 'false') texts.set(node, node.textContent);
      else if (around) texts.set(around, around.textContent);
      for (const region of node.querySelectorAll?.(LIVE) ?? []) {
        texts.set(region, region.textContent);
      }
    }
  }
  window.announced.push(...[...texts.values()].map((each) => each.trim()).filter(Boolean));
}).observe(document, { subtree: true, childList: true, characterData: true });
"""


def listen(context: Any) -> None:
    """Record the announcements of all pages that a browser's context opens from now on."""
    context.add_init_script(f'(() => {{{_LISTEN}}})();')


def announced(page: Any, words: str) -> list[str]:
    """Return the announcements of a page with these words, in their order."""
    return [each for each in page.evaluate('window.announced') if words in each]
