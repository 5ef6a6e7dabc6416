// Where marks lead.

import { html } from "./dom.js";

/** An address that a browser may follow, or nothing. */
export function safe(url) {
  try {
    return ["http:", "https:", "mailto:"].includes(new URL(url, location.href).protocol) ? url : "";
  } catch {
    return "";
  }
}

/** An anchor around content; the content itself where there is no address. */
export function anchor(link, ...content) {
  const url = link && safe(link.url);
  if (!url) return html("span", {}, ...content);
  const apart = link.new_tab ? { target: "_blank", rel: "noopener" } : {};
  return html("a", { href: url, title: link.title, ...apart }, ...content);
}

let open;

/** Follows a single link; several are offered in a menu at the pointer. */
export function follow(links, event) {
  const usable = (links ?? []).filter((link) => safe(link.url));
  open?.remove();
  if (!usable.length) return;
  if (usable.length === 1 && event.type !== "contextmenu") {
    anchor(usable[0]).click();
    return;
  }
  open = html("div", { class: "view-links", popover: "auto" }, usable.map((link) => anchor(link, link.title || link.url)));
  document.body.append(open);
  open.showPopover();
  const box = open.getBoundingClientRect();
  open.style.left = `${Math.max(4, Math.min(event.clientX, innerWidth - box.width - 4))}px`;
  open.style.top = `${Math.max(4, Math.min(event.clientY, innerHeight - box.height - 4))}px`;
  open.addEventListener("toggle", ({ newState }) => newState === "closed" && open?.remove());
  open.querySelector("a").focus();
}
