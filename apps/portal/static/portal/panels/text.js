// Text panels, and the sentence that stands where there is nothing to draw.

import { html } from "./dom.js";

/** Draws a `Text`. The server has made its HTML harmless. */
export function text({ view }) {
  const node = html("div", { class: `view-text${view.code ? " is-code" : ""}`, "data-marks": "text" });
  if (view.code) node.append(html("pre", {}, view.html));
  else node.innerHTML = view.html ?? "";
  for (const link of node.querySelectorAll("a[target]")) link.rel = "noopener";
  return { node };
}

/** Draws a `Nothing`, and a kind that this script does not know. */
export function nothing({ view }) {
  const sentence = view.kind === "nothing" ? view.text || "No data" : `This page cannot draw “${view.kind}”. Reload it.`;
  return { node: html("p", { class: "view-nothing", "data-marks": "nothing" }, sentence) };
}
