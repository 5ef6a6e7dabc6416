// The names and figures of what is drawn. A click shows one series alone, with Ctrl or Shift it hides or adds one.

import { html } from "./dom.js";

/** A legend for `memory.hidden` (a set of names); nothing where the panel shows none. `changed()` draws anew. */
export function legend(view, memory, changed) {
  const { entries = [], placement, figures = [], table } = view.legend ?? {};
  if (!entries.length) return null;
  memory.hidden ??= new Set();
  for (const name of memory.hidden) if (!entries.some((entry) => entry.name === name)) memory.hidden.delete(name);
  const side = placement === "right" ? "right" : "bottom";
  const buttons = entries.map((entry) => button(entry, entries, memory, choose));
  function choose() {
    buttons.forEach((one, index) => one.setAttribute("aria-pressed", !memory.hidden.has(entries[index].name)));
    changed();
  }
  return html(
    "div", { class: `view-legend is-${side}`, "data-marks": "legend" },
    table ? asTable(entries, figures, buttons) : entries.map((entry, index) => asItem(entry, buttons[index])),
  );
}

function button(entry, entries, { hidden }, choose) {
  const made = html(
    "button", { type: "button", class: "view-legend-name", "aria-pressed": !hidden.has(entry.name), title: entry.name },
    html("i", { class: "view-swatch", style: { background: entry.color } }),
    html("span", {}, entry.name),
  );
  made.addEventListener("click", (event) => {
    const others = entries.filter((other) => other.name !== entry.name);
    if (event.ctrlKey || event.metaKey || event.shiftKey) {
      if (!hidden.delete(entry.name)) hidden.add(entry.name);
    } else if (!hidden.has(entry.name) && others.every((other) => hidden.has(other.name))) {
      hidden.clear();
    } else {
      hidden.delete(entry.name);
      for (const other of others) hidden.add(other.name);
    }
    choose();
  });
  return made;
}

const asItem = (entry, made) =>
  html("div", { class: "view-legend-item" }, made, (entry.figures ?? []).map((text) => html("span", { class: "view-legend-figure" }, text)));

function asTable(entries, figures, buttons) {
  const head = html("tr", {}, html("th", { scope: "col" }, "Name"), figures.map((name) => html("th", { scope: "col" }, name)));
  const rows = entries.map((entry, index) =>
    html("tr", {}, html("th", { scope: "row" }, buttons[index]), (entry.figures ?? []).map((text) => html("td", {}, text))));
  return html("table", {}, html("thead", {}, head), html("tbody", {}, rows));
}
