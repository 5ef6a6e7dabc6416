// The keys of a dashboard's page. Those of every page are in portal.js.

import { inspect } from "./onward.js";
import { toggleAlone, toWall } from "./menu.js";

/** Binds the keys; those of a panel mean the one under the pointer or with the focus. */
export function bindKeys(page, bar) {
  let pointed = null;
  let going = 0;
  page.root.addEventListener("pointerover", (event) => {
    pointed = page.frameOf(event.target);
  });
  const current = () => page.frameOf(document.activeElement) ?? pointed;

  const actions = {
    r: () => page.reload(),
    t: () => bar.openTimes(),
    z: () => bar.zoomOut(),
    w: toWall,
    v: () => toggleAlone(page, current()),
    i: () => current() && inspect(current(), page, "data"),
  };

  document.addEventListener("keydown", (event) => {
    const { key, target } = event;
    if (event.ctrlKey || event.metaKey || event.altKey || event.isComposing || document.querySelector("dialog[open], :popover-open.menu-sheet")) return;
    if (target.matches("input, select, textarea, [contenteditable]") || document.querySelector("[data-keys-switch]")?.checked === false) return;
    // The second key of `g …` leads to another page.
    const second = Date.now() - going < 1500;
    going = key === "g" ? Date.now() : 0;
    if (second || event.defaultPrevented) return;
    if (key === "Escape" && new URLSearchParams(location.search).has("viewPanel")) toggleAlone(page, null);
    else if (Object.hasOwn(actions, key)) {
      event.preventDefault();
      actions[key]();
    }
  });
}
