// Rows and columns, ordered by a click on a head.

import { html, paint, rem } from "./dom.js";
import { anchor, follow } from "./links.js";

const CHUNK = 150; // rows that are made at once

/** Draws a `Table`. */
export function table(stage) {
  const { view, memory } = stage;
  const { columns } = view;
  // A refresh may bring other columns: an order holds while its column has the same place and name.
  const order = (index, descending) => ({ index, name: columns[index]?.name, descending });
  if (view.sort && memory.sort === undefined) memory.sort = order(view.sort.column, view.sort.descending ?? false);
  const body = html("tbody");
  const heads = columns.map((column) => head(column));
  const made = html(
    "table", { class: `view-table is-${view.height ?? "sm"}`, "aria-label": stage.context.label },
    view.header ? html("thead", {}, html("tr", {}, heads)) : null,
    body,
    view.footer ? html("tfoot", {}, html("tr", {}, columns.map((column) => html("td", { class: sideOf(column) }, column.footer ?? "")))) : null,
  );
  const node = html("div", { class: "view-scroll", tabindex: "0", role: "region", "aria-label": stage.context.label ?? "Table" }, made);
  let shown = 0;
  let rows = [];

  function more() {
    const end = Math.min(rows.length, shown + CHUNK);
    body.append(...rows.slice(shown, end).map((row) => html("tr", {}, columns.map((column) => cell(column, row)))));
    shown = end;
  }

  function fill() {
    const { sort } = memory;
    const column = columns[sort?.index]?.name === sort?.name ? columns[sort?.index] : undefined;
    rows = Array.from({ length: view.rows }, (_, row) => row);
    if (column) rows.sort((a, b) => (sort.descending ? -1 : 1) * (column.ranks[a] - column.ranks[b]) || a - b);
    heads.forEach((one, index) => {
      if (columns[index] === column) one.setAttribute("aria-sort", sort.descending ? "descending" : "ascending");
      else one.removeAttribute("aria-sort");
    });
    shown = 0;
    body.replaceChildren();
    more();
  }

  heads.forEach((one, index) => one.firstChild.addEventListener("click", () => {
    const { sort } = memory;
    // Upwards, downwards, as the query gave them.
    memory.sort = sort?.index !== index ? order(index, false) : sort.descending ? null : order(index, true);
    fill();
  }));
  node.addEventListener("scroll", () => {
    memory.top = node.scrollTop;
    while (shown < rows.length && node.scrollTop + 2 * node.clientHeight > node.scrollHeight) more();
  }, { passive: true });
  fill();
  if (view.total > view.rows) made.append(html("caption", {}, `The first ${view.rows} of ${view.total} rows`));
  const placed = () => {
    const { top = 0 } = memory;
    while (top && shown < rows.length && node.scrollHeight < top + node.clientHeight) more();
    node.scrollTop = top;
  };
  return { node, placed };
}

const sideOf = (column) => `is-${column.align ?? "left"}`;

function head(column) {
  const made = html("th", { scope: "col", class: sideOf(column) }, html("button", { type: "button", title: column.name }, column.name || "\u00a0"));
  if (column.width) paint(made, { width: rem(column.width), "min-width": rem(column.width), "max-width": rem(column.width) });
  else if (column.min_width) paint(made, { "min-width": rem(column.min_width) });
  return made;
}

function cell(column, row) {
  const text = column.texts[row] ?? "";
  const links = column.links?.[row] ?? [];
  const made = html("td", { class: `${sideOf(column)}${column.wrap ? " is-wrapped" : ""}${column.numeric ? " is-number" : ""}` });
  made.append(content(column, row, text, links));
  const color = column.colors?.[row];
  if (column.cell === "background") {
    paint(made, { background: color, color: column.inks?.[row] });
  } else if (column.cell === "color" && color) {
    made.classList.add("is-inked");
    paint(made, { "--ink": color });
  }
  if (!column.wrap && column.cell !== "json" && text.length > 24) made.title = text;
  return made;
}

function content(column, row, text, links) {
  if (column.cell === "gauge") return gauge(column, row, text);
  if (column.cell === "json") return html("code", {}, text);
  if (column.cell === "image" && ours(text)) return html("img", { src: text, alt: "", loading: "lazy" });
  const whole = links.length ? links : ["link", "image"].includes(column.cell) && /^https?:/.test(text) ? [{ title: text, url: text, new_tab: true }] : [];
  if (!whole.length) return document.createTextNode(text);
  if (whole.length === 1) return anchor(whole[0], text || whole[0].title);
  const button = html("button", { type: "button", class: "view-more" }, text);
  button.addEventListener("click", (event) => follow(whole, event));
  return button;
}

/** The policy of the page lets no picture in but the portal's own. */
const ours = (text) => /^data:image\/|^\/(?!\/)/.test(text);

function gauge(column, row, text) {
  const share = Math.max(0, Math.min(1, column.shares?.[row] ?? 0));
  return html(
    "span", { class: "view-cell-gauge" },
    html("span", { class: "view-cell-track" }, html("i", { style: { width: `${share * 100}%`, background: column.colors?.[row] } })),
    html("span", {}, text),
  );
}
