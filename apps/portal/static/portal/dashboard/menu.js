// What can be done with a panel, and with the page: alone, inspect, download, links.

import { html } from "../panels/dom.js";
import { changed } from "./address.js";
import { icon } from "./icon.js";
import { inspect, picture } from "./onward.js";
import { fileName, save } from "./save.js";
import { announce } from "./words.js";

/** Opens the menu of the panel whose button is pressed, and does what the page's own buttons say. */
export function bindMenu(page) {
  let open = null;

  document.addEventListener("click", (event) => {
    const button = event.target.closest("[data-panel-menu]");
    if (button) {
      const frame = page.frameOf(button);
      if (!frame) return;
      if (open?.frame === frame) close();
      else show(frame, button);
      return;
    }
    const share = event.target.closest("[data-share]")?.dataset.share;
    const act = event.target.closest("[data-act]")?.dataset.act;
    const onward = event.target.closest("[data-open-in-grafana]");
    if (onward && page.drawer) onward.href = page.drawer.whole();
    if (share || act === "print") event.target.closest("details").open = false;
    if (share) copy(addressOf(page, share === "fixed"));
    if (act === "print") toPaper(page);
    if (act === "wall") toWall(page);
  });

  function close() {
    open?.sheet.remove();
    open = null;
  }

  function show(frame, button) {
    close();
    const here = page.root.querySelector("[data-part=bar]");
    const entries = [
      here
        ? [alone() ? "Back to all panels" : "Show alone", "open", () => toggleAlone(page, frame), "v"]
        : ["Open its dashboard", "dashboard", () => page.go({})],
      ["Inspect the data", "columns", () => inspect(frame, page, "data"), "i"],
      ["Inspect the query", "search", () => inspect(frame, page, "query")],
      ["Refresh", "refresh", () => frame.load()],
      ...(frame.embedded ? [] : [["Save as a picture", "image", () => toPicture(frame)]]),
      ...(page.drawer ? [["Open in Grafana", "open", () => window.open(page.drawer.whole(frame.element), "_blank", "noopener")]] : []),
      ["Copy its link", "copy", () => copy(linkTo(frame))],
      ["Open without the portal around it", "dashboard", () => window.open(soloOf(frame, page), "_blank", "noopener")],
    ];
    const { element } = frame;
    const onward = [...element.querySelectorAll("[data-panel-links] a")].map((link) => [link.textContent, "open", () => link.click()]);
    const rows = element.querySelector("a[data-rows]");
    if (rows) onward.unshift(["Show the rows behind it", "right", () => rows.click()]);
    entries.splice(1, 0, ...onward);
    const about = frame.element.querySelector(".panel-tools > .panel-mark")?.title;
    const sheet = html("div", { class: "menu-sheet panel-sheet", popover: "auto", role: "menu" },
      about && html("p", { class: "panel-about", role: "presentation" }, about),
      entries.map(([words, name, act, key]) => {
        const item = html("button", { type: "button", class: "menu-item", role: "menuitem" }, icon(name), words, key && html("kbd", {}, key));
        item.addEventListener("click", () => { close(); act(); });
        return item;
      }));
    document.body.append(sheet);
    sheet.showPopover();
    const at = button.getBoundingClientRect();
    const { width, height } = sheet.getBoundingClientRect();
    sheet.style.left = `${Math.max(4, at.right - width)}px`;
    sheet.style.top = `${at.bottom + height + 4 > innerHeight ? Math.max(4, at.top - height) : at.bottom}px`;
    sheet.addEventListener("toggle", ({ newState }) => newState === "closed" && open?.sheet === sheet && close());
    sheet.addEventListener("keydown", (event) => {
      const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
      if (!step) return;
      event.preventDefault();
      const items = [...sheet.querySelectorAll("button")];
      items[(items.indexOf(document.activeElement) + step + items.length) % items.length].focus();
    });
    sheet.querySelector("button").focus();
    open = { frame, sheet };
  }
}

const alone = () => new URLSearchParams(location.search).has("viewPanel");

/** Lets a panel fill the page, or gives the page back to all. */
export function toggleAlone(page, frame) {
  if (alone()) page.go({ viewPanel: null });
  else if (frame) page.go({ viewPanel: frame.element.dataset.frame });
}

/** Shows the page as a wall display, or no longer. */
export function toWall() {
  const on = new URLSearchParams(location.search).has("kiosk");
  location.assign(`${location.pathname}${changed({ kiosk: on ? null : "1" })}`);
}

/** Prints the page once every panel has its data. */
async function toPaper(page) {
  await Promise.all(page.frames().filter((frame) => frame.stale).map((frame) => frame.load()));
  requestAnimationFrame(() => print());
}

const linkTo = (frame) => new URL(frame.element.dataset.alone, location.href).href;

async function toPicture(frame) {
  try {
    save(fileName(frame.name, "png"), await picture(frame.element.querySelector("[data-panel-body]"), frame.name));
  } catch (error) {
    announce(error.message);
  }
}

function addressOf(page, fixed) {
  const query = new URLSearchParams(location.search);
  for (const name of new Set(page.query().keys())) {
    query.delete(name);
    for (const value of page.query().getAll(name)) query.append(name, value);
  }
  query.delete("tz");
  if (fixed) {
    const { start, end } = page.root.querySelector("[data-range-label]").dataset;
    query.set("from", start);
    query.set("to", end);
  }
  return `${location.origin}${location.pathname}?${query}`;
}

function soloOf(frame, page) {
  const query = page.query();
  query.delete("tz");
  for (const [name, value] of new URLSearchParams(frame.element.dataset.query)) query.append(name, value);
  return `${frame.element.dataset.solo}?${query}`;
}

function copy(text) {
  navigator.clipboard?.writeText(text).then(() => announce("The link is copied"), () => prompt("The link:", text));
}
