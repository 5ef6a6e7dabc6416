"use strict";
// What the pages do beyond HTML: theme, folding, keys, times, tables, filters, dialogs. Every page works without it.
(() => {
  const root = document.documentElement;
  const all = (selector, within = document) => [...within.querySelectorAll(selector)];
  const one = (selector, within = document) => within.querySelector(selector);

  root.classList.add("has-script");

  const remember = {
    // Cookies where the server draws the choice (no flash), storage where only this script needs it.
    cookie(name, value) {
      const secure = location.protocol === "https:" ? "; Secure" : "";
      document.cookie = `${name}=${value}; Path=/; Max-Age=31536000; SameSite=Lax${secure}`;
    },
    get(key) {
      try {
        return JSON.parse(localStorage.getItem(`vptmonitor.${key}`)) ?? {};
      } catch {
        return {};
      }
    },
    set(key, value) {
      try {
        localStorage.setItem(`vptmonitor.${key}`, JSON.stringify(value));
      } catch {
        // A browser that keeps nothing still shows the page.
      }
    },
  };

  // --- Times: in the viewer's zone, relative, kept fresh --------------------------------------------------------
  const THIN = "\u202f";
  const skew = Date.parse(root.dataset.now || "") - Date.now() || 0;
  const zone = Intl.DateTimeFormat().resolvedOptions().timeZone;
  const format = {
    full: new Intl.DateTimeFormat("en-GB", {
      day: "numeric", month: "short", year: "numeric", hour: "2-digit", minute: "2-digit", second: "2-digit", timeZoneName: "short",
    }),
    clock: new Intl.DateTimeFormat("en-GB", { hour: "2-digit", minute: "2-digit" }),
    day: new Intl.DateTimeFormat("en-GB", { day: "numeric", month: "short" }),
  };

  /** The words of `apps.portal.formatting.age`. */
  function age(milliseconds) {
    const seconds = Math.abs(milliseconds) / 1000;
    if (seconds < 10) return "just now";
    const [amount, unit] =
      seconds < 60 ? [Math.round(seconds), "s"]
      : seconds < 3600 ? [Math.floor(seconds / 60), "min"]
      : seconds < 48 * 3600 ? [Math.floor(seconds / 3600), "h"]
      : seconds < 60 * 86400 ? [Math.floor(seconds / 86400), "d"]
      : [Math.floor(seconds / (30.44 * 86400)), "months"];
    return milliseconds > 0 ? `${amount}${THIN}${unit} ago` : `in ${amount}${THIN}${unit}`;
  }

  function freshen(within = document) {
    const now = Date.now() + skew;
    for (const time of all("time[data-show]", within)) {
      const at = Date.parse(time.dateTime);
      if (Number.isNaN(at)) continue;
      const show = time.dataset.show;
      const text = show === "relative" ? age(now - at) : format[show].format(at);
      if (time.textContent !== text) time.textContent = text;
      if (!time.dataset.local) {
        time.title = format.full.format(at);
        time.dataset.local = "yes";
      }
    }
    for (const mark of all("[data-stale-after]")) {
      const time = one("time", mark);
      if (time) mark.classList.toggle("is-stale", now - Date.parse(time.dateTime) > mark.dataset.staleAfter * 1000);
    }
  }

  /** What was drawn anew gets what scripts do for it. */
  function bind(within) {
    freshen(within);
    bindTables(within);
    bindCharts(within);
  }

  for (const name of all("[data-zone]")) name.textContent = zone;
  freshen();
  setInterval(() => document.hidden || freshen(), 30_000);
  document.addEventListener("visibilitychange", () => document.hidden || freshen());

  // --- Theme and folding ----------------------------------------------------------------------------------------
  one("[data-themes]")?.addEventListener("change", (event) => {
    const theme = event.target.value;
    if (theme === "system") delete root.dataset.theme;
    else root.dataset.theme = theme;
    remember.cookie("theme", theme);
  });

  one("[data-fold]")?.addEventListener("click", (event) => {
    const folded = root.classList.toggle("is-folded");
    event.currentTarget.setAttribute("aria-pressed", folded);
    remember.cookie("nav", folded ? "folded" : "open");
  });

  // --- Menus and dialogs ----------------------------------------------------------------------------------------
  const openMenus = () => all("details.menu[open]");

  document.addEventListener("click", (event) => {
    for (const menu of openMenus()) if (!menu.contains(event.target)) menu.open = false;
  });

  document.addEventListener("click", (event) => {
    const button = event.target.closest("[data-opens], [data-closes], [data-copy], [data-dismiss]");
    if (!button) return;
    const { opens, closes, copy } = button.dataset;
    // Browsers that know `command` open the dialog by themselves.
    if (opens) {
      for (const menu of openMenus()) menu.open = false;
      const dialog = document.getElementById(opens);
      if (dialog && !dialog.open) setTimeout(() => dialog.open || dialog.showModal());
    } else if (closes) {
      document.getElementById(closes)?.close();
    } else if (copy !== undefined) {
      navigator.clipboard?.writeText(copy).then(() => announce("Copied"));
    } else {
      button.closest(".message")?.remove();
    }
  });

  function announce(text) {
    const place = one("[data-announcer]");
    if (place) place.textContent = text;
  }

  // --- Filters: a change is a new address -------------------------------------------------------------------------
  for (const form of all("form[data-auto-submit]")) {
    // A filter at its default is left out, so that addresses stay short enough to send to somebody.
    form.addEventListener("formdata", ({ formData }) => {
      for (const [name, value] of [...formData]) {
        const holder = one(`[name="${CSS.escape(name)}"]`, form)?.closest("[data-default]");
        if (holder && holder.dataset.default === value) formData.delete(name);
      }
    });
    form.addEventListener("change", (event) => {
      sessionStorage.setItem("vptmonitor.filter", event.target.name);
      form.requestSubmit();
    });
    const last = sessionStorage.getItem("vptmonitor.filter");
    const field = last && form.elements.namedItem(last);
    if (field) {
      sessionStorage.removeItem("vptmonitor.filter");
      (field instanceof RadioNodeList ? [...field].find((radio) => radio.checked) : field)?.focus({ preventScroll: true });
    }
  }

  // --- Tables: density, columns, names of cells on a phone --------------------------------------------------------
  function bindTables(within) {
    for (const table of all("table[data-table]:not([data-live-bound])", within)) bindTable(table);
    for (const scroller of all(".table-block > .table-scroll", within)) fitting.observe(scroller);
  }

  function bindTable(table) {
    table.dataset.liveBound = "yes";
    const name = table.dataset.table;
    const kept = remember.get(`table.${name}`);
    const heads = all("thead th", table).map((head) => head.textContent.trim());

    const label = (row) => {
      [...row.cells].forEach((cell, index) => {
        if (cell.colSpan === 1 && !cell.dataset.label && heads[index]) cell.dataset.label = heads[index];
      });
    };
    all("tbody tr", table).forEach(label);
    new MutationObserver((changes) => {
      for (const change of changes) {
        for (const node of change.addedNodes) {
          if (node instanceof HTMLTableRowElement) {
            label(node);
            freshen(node);
          }
        }
      }
    }).observe(table.tBodies[0], { childList: true });

    const density = one(`[data-density="${CSS.escape(name)}"]`);
    const setDensity = (compact) => {
      table.classList.toggle("is-compact", compact);
      density?.setAttribute("aria-pressed", compact);
    };
    setDensity(kept.compact === true);
    density?.addEventListener("click", () => {
      kept.compact = !table.classList.contains("is-compact");
      setDensity(kept.compact);
      remember.set(`table.${name}`, kept);
    });

    const chooser = one(`[data-columns="${CSS.escape(name)}"]`);
    if (!chooser) return;
    const boxes = all("input", chooser);
    const show = (box) => table.classList.toggle(`hide-${box.value}`, !box.checked);
    for (const box of boxes) {
      const title = heads[box.value - 1];
      if (kept.columns && title in kept.columns) box.checked = kept.columns[title];
      show(box);
    }
    chooser.addEventListener("change", (event) => {
      show(event.target);
      kept.columns = Object.fromEntries(boxes.map((box) => [heads[box.value - 1], box.checked]));
      remember.set(`table.${name}`, kept);
    });
  }

  // Heads stick to the page only where no scroller of the table's own stands between.
  const fitting = new ResizeObserver((entries) => {
    for (const { target } of entries) {
      const table = target.firstElementChild;
      target.classList.toggle("is-fitting", table !== null && table.scrollWidth <= target.clientWidth);
    }
  });
  bindTables(document);

  // A row opens by a click anywhere but on something that acts by itself, or while text is being selected.
  document.addEventListener("click", (event) => {
    const row = event.target.closest("tr[data-href]");
    if (!row || event.target.closest("a, button, input, select, label, summary, details, dialog")) return;
    if (String(getSelection())) return;
    openRow(row, event.metaKey || event.ctrlKey);
  });
  document.addEventListener("auxclick", (event) => {
    const row = event.button === 1 && event.target.closest("tr[data-href]");
    if (row && !event.target.closest("a, button")) openRow(row, true);
  });

  function openRow(row, apart) {
    if (apart) window.open(row.dataset.href, "_blank", "noopener");
    else location.assign(row.dataset.href);
  }

  // --- Charts: the values under the pointer -----------------------------------------------------------------------
  function bindCharts(within) {
    for (const chart of all("[data-chart]:not([data-live-bound])", within)) bindChart(chart);
  }

  function bindChart(chart) {
    chart.dataset.liveBound = "yes";
    const plot = one(".chart-plot", chart);
    const cursor = one(".plot-cursor", chart);
    const readouts = all("[data-readout]", chart);
    const resting = readouts.map((readout) => readout.textContent);
    const at = one("[data-readout-at]", chart);
    const rows = all("tr[data-x]", chart).map((row) => ({ row, x: Number(row.dataset.x) }));
    if (!rows.length) return;
    plot.addEventListener("pointermove", (event) => {
      const box = plot.getBoundingClientRect();
      const x = ((event.clientX - box.left) / box.width) * 1000;
      const near = rows.reduce((best, row) => (Math.abs(row.x - x) < Math.abs(best.x - x) ? row : best));
      cursor.setAttribute("d", `M${near.x} 0V200`);
      cursor.setAttribute("visibility", "visible");
      at.textContent = near.row.cells[0].textContent;
      readouts.forEach((readout, index) => {
        readout.textContent = near.row.cells[index + 1].textContent;
      });
    });
    plot.addEventListener("pointerleave", () => {
      cursor.setAttribute("visibility", "hidden");
      at.textContent = "";
      readouts.forEach((readout, index) => {
        readout.textContent = resting[index];
      });
    });
  }
  bindCharts(document);

  // --- Live state: whoever feeds the page says how it goes --------------------------------------------------------
  const LIVE = {
    live: ["Live", "Changes show up within a second."],
    polling: ["Every few seconds", "No socket can be had here, so the portal is asked for changes every few seconds."],
    reconnecting: ["Reconnecting", "The connection is made anew. What happens meanwhile is caught up."],
    paused: ["Paused", "This page stays as it is. What happens meanwhile is caught up when it goes on."],
    lost: ["Connection lost", "The portal does not answer. It is tried again, and caught up."],
    out: ["Signed out", "Your session has ended. Load the page again to sign in."],
    off: ["", ""],
  };
  document.addEventListener("vpt:live", (event) => {
    const state = event.detail in LIVE ? event.detail : "off";
    for (const mark of all(".top [data-live]")) {
      if (mark.dataset.live === state) continue;
      mark.dataset.live = state;
      one(".live-word", mark).textContent = LIVE[state][0];
      one(".live-why", mark).textContent = LIVE[state][1];
    }
  });
  document.addEventListener("vpt:moved", (event) => bind(event.detail));

  // --- Keys ---------------------------------------------------------------------------------------------------------
  const keysSwitch = one("[data-keys-switch]");
  const keys = remember.get("keys");
  if (keysSwitch) {
    keysSwitch.checked = keys.off !== true;
    keysSwitch.addEventListener("change", () => {
      keys.off = !keysSwitch.checked;
      remember.set("keys", keys);
    });
  }

  let current = null;
  let going = 0;

  function move(step) {
    const rows = all("tr[data-href]").filter((row) => row.offsetParent);
    if (!rows.length) return false;
    const from = rows.indexOf(current);
    const to = from < 0 ? (step > 0 ? 0 : rows.length - 1) : Math.min(rows.length - 1, Math.max(0, from + step));
    current?.classList.remove("is-current");
    current = rows[to];
    current.classList.add("is-current");
    current.tabIndex = -1;
    current.focus({ preventScroll: true });
    current.scrollIntoView({ block: "nearest" });
    return true;
  }

  document.addEventListener("focusin", (event) => {
    const row = event.target.closest("tr[data-href]");
    if (row && row !== current) {
      current?.classList.remove("is-current");
      current = row;
      current.classList.add("is-current");
    }
  });

  function escape(target) {
    const menus = openMenus();
    if (menus.length) {
      menus.forEach((menu) => {
        menu.open = false;
        one("summary", menu).focus();
      });
    } else if (target.matches("input, select, textarea")) {
      target.blur();
    } else if (current) {
      current.classList.remove("is-current");
      current.blur();
      current = null;
    }
  }

  const actions = {
    "/": () => {
      const search = one("[data-search]");
      search?.focus();
      search?.select();
      return Boolean(search);
    },
    "?": () => {
      one("#dialog-keys")?.showModal();
      return true;
    },
    j: () => move(1),
    k: () => move(-1),
    ArrowDown: () => current !== null && move(1),
    ArrowUp: () => current !== null && move(-1),
    Enter: () => {
      if (!current || document.activeElement !== current) return false;
      openRow(current, false);
      return true;
    },
    a: () => {
      const button = current && one('button[data-key="a"]', current);
      button?.click();
      return Boolean(button);
    },
    g: () => {
      going = Date.now();
      return true;
    },
  };

  document.addEventListener("keydown", (event) => {
    const target = event.target;
    if (event.key === "Escape" && !one("dialog[open]")) {
      escape(target);
      return;
    }
    if (event.ctrlKey || event.metaKey || event.altKey || event.isComposing || one("dialog[open]")) return;
    if (target.matches("input, select, textarea, [contenteditable]")) return;
    const single = event.key.length === 1;
    if (single && keys.off) return;
    // The second key of `g …` is taken within a second and a half.
    if (going && Date.now() - going < 1500 && single) {
      going = 0;
      const link = one(`a[data-go="${CSS.escape(event.key)}"]`);
      if (link) {
        event.preventDefault();
        location.assign(link.href);
        return;
      }
    }
    going = 0;
    if (Object.hasOwn(actions, event.key) && actions[event.key]()) event.preventDefault();
  });
})();
