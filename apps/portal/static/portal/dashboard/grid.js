// The grid of panels: puts frames where the server says, and asks for the data of those that come into view.

import { createFrame } from "./frame.js";

const NEAR = "150px 0px"; // how far below the window a panel counts as in view

/** The grid of a page. */
export function createGrid(page) {
  const frames = new Map();
  const inView = new Set();
  let grid = page.root.querySelector("[data-part=grid]");

  const watcher = new IntersectionObserver((entries) => {
    for (const { target, isIntersecting } of entries) {
      const frame = frames.get(keyOf(target));
      if (!frame) continue;
      if (isIntersecting) inView.add(frame);
      else inView.delete(frame);
      if (isIntersecting && frame.stale) frame.load();
    }
  }, { rootMargin: NEAR });

  function adopt(element) {
    place(element);
    if (!element.dataset.panel) return;
    frames.set(keyOf(element), createFrame(element, page));
    watcher.observe(element);
  }

  function drop(element) {
    const frame = frames.get(keyOf(element));
    if (frame) {
      frame.leave();
      frames.delete(keyOf(element));
      inView.delete(frame);
      watcher.unobserve(element);
    }
    element.remove();
  }

  for (const element of [...grid.children]) adopt(element);
  grid.classList.add("is-placed");

  return {
    get query() { return grid.dataset.query ?? ""; },
    get zone() { return grid.dataset.timeZone ?? ""; },

    /** The frame that holds a node of the page. */
    of: (node) => frames.get(keyOf(node?.closest?.("[data-panel]"))),

    /** All frames, in their order. */
    all: () => [...frames.values()],

    /** Everything is out of date: what is in view is asked for now, the rest when it comes into view. */
    reload(how) {
      for (const frame of frames.values()) {
        if (inView.has(frame)) frame.load(how);
        else { frame.leave(); frame.stale = true; }
      }
    },

    /** The data of the panels whose tables `isMeant` are out of date: those in view ask for it as their times move on. */
    touch(isMeant) {
      for (const frame of frames.values()) {
        const tables = (frame.element.dataset.tables ?? "").split(" ").filter(Boolean);
        if (!tables.length || !isMeant(tables)) continue;
        if (inView.has(frame)) frame.soon();
        else frame.stale = true;
      }
    },

    /** Takes on the server's new grid; frames of the same panel and values stay, with what they show. */
    follow(next) {
      grid.className = `${next.className} is-placed`;
      grid.dataset.query = next.dataset.query;
      grid.dataset.timeZone = next.dataset.timeZone;
      const wanted = new Map([...next.children].map((element) => [keyOf(element), element]));
      for (const element of [...grid.children]) if (!wanted.has(keyOf(element)) || !element.dataset.panel) drop(element);
      let before = null;
      for (const [key, fresh] of wanted) {
        const kept = frames.get(key)?.element;
        if (kept) {
          const widened = kept.dataset.w !== fresh.dataset.w;
          Object.assign(kept.dataset, fresh.dataset);
          kept.className = fresh.className;
          for (const part of ["[data-rows]", "[data-panel-links]"]) renew(kept.querySelector(part), fresh.querySelector(part));
          place(kept);
          if (widened) frames.get(key).stale = true;
        }
        const element = kept ?? document.importNode(fresh, true);
        // Elements that stand right are not moved: a frame of Grafana's would load anew.
        const here = before ? before.nextElementSibling : grid.firstElementChild;
        if (element !== here) grid.insertBefore(element, here);
        if (!kept) adopt(element);
        before = element;
      }
      for (const frame of inView) if (frame.stale) frame.load();
    },
  };
}

const keyOf = (element) =>
  element?.dataset.panel ? `${element.dataset.panel}?${element.dataset.query}` : element?.dataset.frame ?? "";

/** Where a frame leads hangs on what is chosen. */
function renew(kept, fresh) {
  if (kept?.href) kept.href = fresh.href;
  else kept?.replaceChildren(...fresh.cloneNode(true).childNodes);
}

/** The policy forbids style attributes in HTML, so the places come as data. */
function place(element) {
  for (const side of ["x", "y", "w", "h"]) element.style.setProperty(`--${side}`, element.dataset[side] ?? 0);
}
