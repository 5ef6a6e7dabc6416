// What a panel's data are and where they come from: the rows, and each query as it ran.

import { html } from "../panels/dom.js";
import { askJson } from "./ask.js";
import { csvOf } from "./csv.js";
import { icon } from "./icon.js";
import { fileName, save } from "./save.js";

const SHOWN_ROWS = 500;

/** Opens the dialog on `tab`: "data" or "query". */
export async function openInspect(frame, page, tab) {
  const { dialog, body } = makeDialog(frame.name);
  const tabs = { data: () => data(frame, page), query: () => queries(frame) };
  const show = async (name) => {
    for (const button of bar.children) button.setAttribute("aria-pressed", button.dataset.tab === name);
    place.replaceChildren(html("p", { class: "muted" }, "Loading"));
    const parts = await tabs[name]();
    if (place.isConnected && bar.querySelector("[aria-pressed=true]").dataset.tab === name) place.replaceChildren(...parts);
  };
  const bar = html("div", { class: "inspect-tabs" }, Object.entries({ data: "Data", query: "Query" }).map(([name, words]) => {
    const button = html("button", { type: "button", class: "button is-quiet", "data-tab": name }, words);
    button.addEventListener("click", () => show(name));
    return button;
  }));
  const place = html("div", { class: "inspect-place" });
  body.replaceChildren(bar, place);
  if (!dialog.open) dialog.showModal();
  await show(tab);
}

function makeDialog(title) {
  document.getElementById("inspect")?.remove();
  const close = html("button", { type: "submit", class: "icon-button" }, icon("close"), html("span", { class: "hidden-text" }, "Close"));
  const body = html("div", { class: "inspect-body" });
  const dialog = html("dialog", { class: "dialog inspect", id: "inspect", "aria-labelledby": "inspect-title" },
    html("header", { class: "inspect-head" }, html("h2", { id: "inspect-title" }, title), html("form", { method: "dialog" }, close)), body);
  document.body.append(dialog);
  dialog.addEventListener("close", () => dialog.remove());
  return { dialog, body };
}

async function data(frame, page) {
  let answer;
  try {
    answer = await askJson(frame.address());
  } catch (error) {
    return [html("p", { class: "panel-failed" }, error.message), html("p", { class: "muted" }, error.fix)];
  }
  const frames = answer.frames ?? [];
  if (!frames.length) return [html("p", { class: "muted" }, "The query gave no rows.")];
  return frames.flatMap((one, number) => {
    const columns = columnsOf(one);
    const rows = columns[0]?.values.length ?? 0;
    const title = `${frame.name}${frames.length > 1 ? ` ${number + 1}` : ""}`;
    const csv = html("button", { type: "button", class: "button is-small" }, "CSV");
    csv.addEventListener("click", () => save(fileName(title, "csv"), new Blob([csvOf(exported(columns))], { type: "text/csv;charset=utf-8" })));
    const json = html("button", { type: "button", class: "button is-small" }, "JSON");
    json.addEventListener("click", () => save(fileName(title, "json"), new Blob([JSON.stringify(one, null, 1)], { type: "application/json" })));
    const more = rows > SHOWN_ROWS ? `, the first ${SHOWN_ROWS} are shown` : "";
    return [
      html("p", { class: "inspect-line" }, html("span", {}, `${one.schema?.name || one.schema?.refId || "Rows"}: ${rows} row${rows === 1 ? "" : "s"}${more}`), csv, json),
      tableOf(columns, Math.min(rows, SHOWN_ROWS), page.zone()),
    ];
  });
}

function columnsOf(frame) {
  const fields = frame.schema?.fields ?? [];
  return fields.map((field, index) => ({
    name: nameOf(field), type: field.type, values: frame.data?.values?.[index] ?? [],
  }));
}

function nameOf(field) {
  const labels = Object.entries(field.labels ?? {}).map(([key, value]) => `${key}=${value}`).join(", ");
  const name = field.config?.displayNameFromDS || field.name || "value";
  return labels ? `${name} {${labels}}` : name;
}

const exported = (columns) => columns.map((column) => ({
  ...column, values: column.type === "time" ? column.values.map((at) => (typeof at === "number" ? new Date(at).toISOString() : at)) : column.values,
}));

function tableOf(columns, rows, timeZone) {
  const full = new Intl.DateTimeFormat("sv-SE", {
    timeZone, year: "numeric", month: "2-digit", day: "2-digit", hour: "2-digit", minute: "2-digit", second: "2-digit",
  });
  const text = (column, row) => {
    const value = column.values[row];
    if (value === null || value === undefined) return "";
    if (column.type === "time" && typeof value === "number") return full.format(value);
    return typeof value === "object" ? JSON.stringify(value) : String(value);
  };
  const head = html("tr", {}, columns.map(({ name }) => html("th", { scope: "col" }, name)));
  const lines = Array.from({ length: rows }, (_, row) =>
    html("tr", {}, columns.map((column) => html("td", { class: column.type === "number" ? "num" : "" }, text(column, row)))));
  return html("div", { class: "inspect-rows", tabindex: "0", role: "region", "aria-label": "Rows" },
    html("table", { class: "inspect-table" }, html("thead", {}, head), html("tbody", {}, lines)));
}

function queries(frame) {
  const { answer } = frame;
  const asked = answer?.sql ?? [];
  if (!asked.length) return [html("p", { class: "muted" }, answer ? "This panel asks no database." : "The panel has not asked yet.")];
  const { error, timing, notices } = answer;
  const said = [error && `${error.text} ${error.fix ?? ""}`, ...notices].filter(Boolean);
  const lines = said.map((text) => html("p", { class: "inspect-said" }, text));
  const whole = `${Math.round(timing.total_ms)} ms in all, an interval of ${timing.interval} between points`;
  return [...lines, html("p", { class: "muted" }, whole)].concat(asked.flatMap((one) => {
    const copy = html("button", { type: "button", class: "button is-small" }, "Copy");
    copy.addEventListener("click", () => navigator.clipboard?.writeText(one.sql));
    return [
      html("p", { class: "inspect-line" }, html("span", {}, wordsOf(one)), copy),
      html("pre", { class: "inspect-sql", tabindex: "0" }, marked(one.sql, error?.ref_id === one.ref_id ? error.position : null)),
    ];
  }));
}

function wordsOf({ ref_id: name, rows, ms, age_seconds: age }) {
  const parts = [name, `${rows} row${rows === 1 ? "" : "s"}`, `${ms < 10 ? ms.toFixed(1) : Math.round(ms)} ms in the database`];
  if (age >= 1) parts.push(`kept for ${Math.round(age)} s`);
  return parts.join(" · ");
}

/** The SQL with the word at a position (from 1, in characters) marked. */
function marked(sql, position) {
  if (!position) return sql;
  const characters = [...sql];
  const before = characters.slice(0, position - 1).join("");
  const rest = characters.slice(position - 1).join("");
  const word = /^[\w.]+|^[^]/.exec(rest)?.[0] ?? "";
  return [before, html("mark", {}, word), rest.slice(word.length)];
}
