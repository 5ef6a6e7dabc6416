// Starts the dashboards of a document: a whole one, one panel alone, or single panels on another page.

import { createCrosshair } from "../panels/draw.js";
import { changed, movesRange } from "./address.js";
import { askPage } from "./ask.js";
import { createBar } from "./bar.js";
import { createDrawer } from "./drawer.js";
import { createGrid } from "./grid.js";
import { bindKeys } from "./keys.js";
import { bindMenu } from "./menu.js";
import { createRefresh, duration } from "./refresh.js";
import { clock } from "./words.js";

const browserZone = Intl.DateTimeFormat().resolvedOptions().timeZone;
const crosshair = createCrosshair();

/** The dashboard of `root`: the address rules a whole one, the server draws its bar and grid, panels fill themselves. */
function createPage(root) {
  let following = null;
  let moved = {};
  let lost = false;

  const page = {
    root,
    crosshair,
    api: root.dataset.api,

    /** The zone of times: the address's, the dashboard's, or the browser's. */
    zone: () => (!grid.zone || grid.zone === "browser" ? browserZone : grid.zone),

    /** What every panel is asked with. */
    query() {
      const query = new URLSearchParams(grid.query);
      for (const [name, value] of Object.entries(moved)) query.set(name, value);
      query.set("tz", page.zone());
      return query;
    },

    /** Changes the address and all that follows from it; panels on another page lead to their dashboard. */
    go(changes, { replace = false } = {}) {
      if (!bar) {
        const query = page.query();
        for (const [name, value] of Object.entries(changes)) query.set(name, value);
        location.assign(`${root.dataset.dashboard}?${query}`);
        return;
      }
      history[replace ? "replaceState" : "pushState"](null, "", `${location.pathname}${changed(changes)}`);
      follow(movesRange(changes) ? changes : null);
    },

    zoomOut: () => bar?.zoomOut(),
    reload(how) {
      bar?.asked(clock(Date.now(), page.zone()));
      grid.reload(how);
    },
    frameOf: (node) => grid.of(node),
    frames: () => grid.all(),
  };

  page.drawer = createDrawer(page, () => grid.reload());
  const grid = createGrid(page);
  const bar = root.querySelector("[data-part=bar]") ? createBar(page) : null;
  const refresh = createRefresh(() => (lost ? follow(null) : page.reload({ tick: true })));
  refresh.every(bar ? bar.refresh() : root.dataset.every);
  if (bar) {
    addEventListener("popstate", () => follow(null));
    bar.tell();
    bar.asked(clock(Date.now(), page.zone()));
  }

  /** Brings the page to its address. Panels need not wait for the server's page where the range alone has moved. */
  async function follow(range) {
    following?.abort();
    const mine = new AbortController();
    following = mine;
    if (range) {
      moved = Object.fromEntries(Object.entries(range).filter(([name, value]) => value !== null && name !== "tz"));
      page.reload();
    }
    root.classList.add("is-following");
    try {
      const query = new URLSearchParams(location.search);
      if (!query.get("tz")) query.set("tz", page.zone());
      const next = await askPage(`${location.pathname}?${query}`, mine.signal);
      moved = {};
      lost = false;
      bar.follow(next.querySelector("[data-part=bar]"));
      refresh.every(bar.refresh());
      grid.follow(next.querySelector("[data-part=grid]"));
      settle();
      if (range) bar.asked(clock(Date.now(), page.zone()));
      else page.reload();
    } catch (error) {
      if (error.name === "AbortError") return;
      lost = true;
      bar.fail(`${error.message} ${error.fix ?? ""}`);
    } finally {
      if (following === mine) {
        following = null;
        root.classList.remove("is-following");
      }
    }
  }

  /** Values that are no more, such as a device of another host, leave the address; the page said so once. */
  function settle() {
    const [wanted, taken] = [new URLSearchParams(location.search), new URLSearchParams(grid.query)];
    const gone = [...new Set(wanted.keys())].filter(
      (name) => name.startsWith("var-") && taken.has(name) && `${wanted.getAll(name)}` !== `${taken.getAll(name)}`,
    );
    if (gone.length) {
      const changes = Object.fromEntries(gone.map((name) => [name, taken.getAll(name)]));
      history.replaceState(null, "", `${location.pathname}${changed(changes)}`);
    }
  }

  // Rows of the tables that a panel asks for have changed; without a set nobody knows which.
  document.addEventListener("vpt:changes", ({ detail: topics }) => {
    grid.touch((tables) => !topics || tables.some((name) => topics.has(name)));
  });

  return { page, bar };
}

for (const root of document.querySelectorAll("[data-dashboard]")) {
  const { page, bar } = createPage(root);
  bindMenu(page);
  if (bar) bindKeys(page, bar);
  const { next, nextAfter } = root.dataset;
  if (next) setTimeout(() => location.assign(next), duration(nextAfter));
}
