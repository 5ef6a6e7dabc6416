// What a panel's data are and where they come from: the rows, and each query as it ran.

import { html } from "../panels/dom.js";
import { askJson } from "./ask.js";
import { csvOf } from "./csv.js";
import { fileName, save } from "./save.js";

const SHOWN_ROWS = 500;

/** Opens the dialog on `tab`: "data" or "query". */
export async function openInspect(frame, page, tab) {
  const dialog = document.querySelector("[data-inspect]");
  if (!dialog) return;
  dialog.querySelector("[data-inspect-title]").textContent = frame.name;
  const body = dialog.querySelector("[data-inspect-body]");
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
  return asked.flatMap((one) => {
    const copy = html("button", { type: "button", class: "button is-small" }, "Copy");
    copy.addEventListener("click", () => navigator.clipboard?.writeText(one.sql));
    return [
      html("p", { class: "inspect-line" }, html("span", {}, wordsOf(one)), copy),
      html("pre", { class: "inspect-sql", tabindex: "0" }, one.sql),
    ];
  });
}

function wordsOf(one) {
  const parts = [one.ref_id, one.rows !== undefined && `${one.rows} rows`, one.ms !== undefined && `${Math.round(one.ms)} ms`];
  return parts.filter(Boolean).join(" · ");
}
