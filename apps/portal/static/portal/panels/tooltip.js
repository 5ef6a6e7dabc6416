// What the pointer rests on, in words. One box for the whole page, above everything.

import { html } from "./dom.js";

let box;
let owner;

addEventListener("scroll", () => owner && hush(owner), { capture: true, passive: true });

/** Shows `head` and rows of `{color, name, text, strong}` beside a point of the window. */
export function tell(source, x, y, head, rows) {
  if (!box?.isConnected) {
    box = html("div", { class: "view-tooltip", popover: "manual", role: "status" });
    document.body.append(box);
  }
  owner = source;
  box.replaceChildren(...(head ? [html("div", { class: "view-tooltip-head" }, head)] : []), ...rows.map(row));
  if (!box.matches(":popover-open")) box.showPopover();
  const { width, height } = box.getBoundingClientRect();
  const left = x + 14 + width > innerWidth ? x - 14 - width : x + 14;
  box.style.left = `${Math.max(4, left)}px`;
  box.style.top = `${Math.max(4, Math.min(y + 14, innerHeight - height - 4))}px`;
}

/** Takes the box away when it belongs to this source. */
export function hush(source) {
  if (owner !== source || !box) return;
  if (box.matches(":popover-open")) box.hidePopover();
  owner = undefined;
}

function row({ color, name, text, strong }) {
  return html(
    "div", { class: `view-tooltip-row${strong ? " is-strong" : ""}` },
    color && html("i", { class: "view-swatch", style: { background: color } }),
    html("span", {}, name),
    text && html("b", {}, text),
  );
}
