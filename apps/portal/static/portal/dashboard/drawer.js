// Who draws the panels of a page: Grafana in frames while it is well, else the portal. And Grafana's addresses.

import { askJson } from "./ask.js";

const EVERY = 5000; // milliseconds between two questions while somebody looks
const PREFIX = "/grafana";

/** Null where Grafana is out of reach. `changed` is called when somebody else draws from now on. */
export function createDrawer(page, changed) {
  const { uid, by, panelWord, moves, drawer: url } = page.root.dataset;
  if (!by) return null;
  const drawer = { by, word: panelWord, moves: moves === "yes", only: !url && by === "grafana", since: 0, solo, whole };

  /** The address of a panel alone, for a frame. */
  function solo(element) {
    const query = chosen(element);
    query.set("panelId", drawer.word + element.dataset.panel);
    query.set("theme", theme());
    query.set("hideLogo", "true");
    return `${PREFIX}/d-solo/${uid}/panel?${query}`;
  }

  /** The address of the dashboard, or of one of its panels in it. */
  function whole(element) {
    const query = chosen(element);
    if (element) query.set("viewPanel", drawer.word + element.dataset.panel);
    return `${PREFIX}/d/${uid}/?${query}`;
  }

  function chosen(element) {
    const query = new URLSearchParams(page.query());
    for (const [name, value] of new URLSearchParams(element?.dataset.query ?? "")) query.set(name.replace("scope-", "var-"), value);
    query.set("timezone", query.get("tz") || "browser");
    query.delete("tz");
    for (const end of ["from", "to"]) query.set(end, instant(query.get(end), end));
    return query;
  }

  /** Grafana reads `now-6h` and milliseconds; what else our picker takes is in the page as milliseconds too. */
  function instant(text, end) {
    if (/^(now.*|\d+)$/.test(text ?? "")) return text;
    const range = page.root.querySelector("[data-range-label]")?.dataset;
    return (end === "from" ? range?.start : range?.end) ?? text;
  }

  async function look() {
    if (document.hidden) return;
    try {
      const now = await askJson(url);
      const before = drawer.by;
      Object.assign(drawer, { by: now.by, word: now.panel, moves: now.moves });
      if (now.by === before) return;
      drawer.since = performance.now();
      changed();
    } catch {
      // Without an answer everything stays as it is: the panels say themselves what is wrong.
    }
  }

  if (url) {
    setInterval(look, EVERY);
    document.addEventListener("visibilitychange", look);
  }
  return drawer;
}

function theme() {
  const chosen = document.documentElement.dataset.theme;
  return chosen ?? (matchMedia("(prefers-color-scheme: dark)").matches ? "dark" : "light");
}
