// A dashboard's page: the address rules, the server draws bar and grid, panels fill themselves.

import { createCrosshair } from "../panels/draw.js";
import { changed, movesRange } from "./address.js";
import { askPage } from "./ask.js";
import { createBar } from "./bar.js";
import { createGrid } from "./grid.js";
import { bindKeys } from "./keys.js";
import { bindMenu } from "./menu.js";
import { createRefresh } from "./refresh.js";
import { announce } from "./words.js";

const root = document.querySelector("[data-dashboard]");
const browserZone = Intl.DateTimeFormat().resolvedOptions().timeZone;
let following = null;
let moved = {};

const page = {
  root,
  api: root.dataset.api,
  crosshair: createCrosshair(),

  /** The zone of times: the address's, the dashboard's, or the browser's. */
  zone() {
    const named = grid.zone;
    return !named || named === "browser" ? browserZone : named;
  },

  /** What every panel is asked with. */
  query() {
    const query = new URLSearchParams(grid.query);
    for (const [name, value] of Object.entries(moved)) query.set(name, value);
    query.set("tz", page.zone());
    return query;
  },

  /** Changes the address and all that follows from it. */
  go(changes, { replace = false } = {}) {
    history[replace ? "replaceState" : "pushState"](null, "", `${location.pathname}${changed(changes)}`);
    follow(movesRange(changes) ? changes : null);
  },

  zoomOut: () => bar?.zoomOut(),
  reload: () => grid.reload(),
  frameOf: (node) => grid.of(node),
  frames: () => grid.all(),
};

const grid = createGrid(page);
const bar = root.querySelector("[data-part=bar]") ? createBar(page) : null;
const refresh = createRefresh(() => grid.reload());
refresh.every(bar ? bar.refresh() : root.dataset.every);
bindMenu(page);
bindKeys(page, bar);
addEventListener("popstate", () => follow(null));
bar?.tell();

/** Brings the page to its address. Panels need not wait for the server's page where the range alone has moved. */
async function follow(range) {
  following?.abort();
  const mine = new AbortController();
  following = mine;
  if (range) {
    moved = Object.fromEntries(Object.entries(range).filter(([name, value]) => value !== null && name !== "tz"));
    grid.reload();
  }
  root.classList.add("is-following");
  try {
    const query = new URLSearchParams(location.search);
    if (!query.get("tz")) query.set("tz", page.zone());
    const next = await askPage(`${location.pathname}?${query}`, mine.signal);
    moved = {};
    bar?.follow(next.querySelector("[data-part=bar]"));
    refresh.every(bar?.refresh() ?? "");
    grid.follow(next.querySelector("[data-part=grid]"));
    if (!range) grid.reload();
  } catch (error) {
    if (error.name !== "AbortError") announce(error.message);
  } finally {
    if (following === mine) {
      following = null;
      root.classList.remove("is-following");
    }
  }
}
