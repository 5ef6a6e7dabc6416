// The bar above the panels: variables, range, refresh. The server draws it anew after each change.

import { html } from "../panels/dom.js";
import { fields } from "./address.js";
import { announce, rangeWords, typed } from "./words.js";

/** The bar of a page. */
export function createBar(page) {
  const { root } = page;
  let bar = root.querySelector("[data-part=bar]");
  const part = (name) => bar.querySelector(name);

  /** The range as it was when the server drew the bar, in milliseconds. */
  function range() {
    const label = part("[data-range-label]");
    return { start: Number(label.dataset.start), end: Number(label.dataset.end) };
  }

  function shift(direction) {
    const { start, end } = range();
    const half = Math.max(1, Math.round((end - start) / 2));
    page.go({ from: String(start + direction * half), to: String(end + direction * half) });
  }

  function zoomOut() {
    const { start, end } = range();
    const half = Math.max(30_000, Math.round((end - start) / 2));
    page.go({ from: String(start - half), to: String(Math.min(end + half, Math.max(end, Date.now()))) });
  }

  /** Puts fixed ranges into words of the zone. */
  function tell() {
    const label = part("[data-range-label]");
    const { start, end } = range();
    const words = rangeWords(start, end, page.zone());
    if (!label.dataset.words) label.textContent = words;
    label.parentElement.title = `${words} (${page.zone()}), key t`;
    part("[data-times-zone]").textContent = page.zone();
    for (const name of ["from", "to"]) {
      const field = part(`[data-range] input[type=text][name=${name}]`);
      if (/^\d+$/.test(field.value)) field.value = typed(Number(field.value), page.zone());
    }
    const zone = part("[data-zone-choice]");
    zone.value = new URLSearchParams(location.search).get("tz") ?? "";
  }

  const acts = { earlier: () => shift(-1), later: () => shift(1), "zoom-out": zoomOut, refresh: () => page.reload() };

  root.addEventListener("click", (event) => {
    const act = event.target.closest("[data-act]")?.dataset.act;
    if (Object.hasOwn(acts, act ?? "")) acts[act]();
    const quick = event.target.closest("a[data-from]");
    if (quick && plain(event)) {
      event.preventDefault();
      part("[data-times]").open = false;
      page.go({ from: quick.dataset.from, to: quick.dataset.to });
    }
    const soft = event.target.closest("a[data-soft]");
    if (soft && plain(event)) {
      event.preventDefault();
      page.go({ row: new URLSearchParams(soft.search).getAll("row") }, { replace: true });
    }
  });

  root.addEventListener("submit", (event) => {
    const form = event.target;
    if (!form.matches("[data-range], [data-variables]")) return;
    event.preventDefault();
    // A variable was taken when it changed.
    if (form.matches("[data-variables]")) return;
    part("[data-times]").open = false;
    const { from, to } = fields(form);
    // A date says nothing without its zone; the address may be sent to somebody elsewhere.
    const zone = [from, to].flat().some((text) => !text.includes("now")) ? { tz: page.zone() } : {};
    page.go({ from, to, ...zone });
  });

  /** A variable as the form has it; without a choice it is an empty list. */
  const choose = (form, name) => page.go({ [name]: fields(form)[name] ?? [""] });

  root.addEventListener("change", (event) => {
    const field = event.target;
    if (field.matches("[data-refresh]")) page.go({ refresh: field.value }, { replace: true });
    else if (field.matches("[data-zone-choice]")) page.go({ tz: field.value || null });
    else if (field.matches("[name^='var-']")) chosen(field);
  });

  /** One value is taken at once; of several all are, when the list closes. */
  function chosen(field) {
    const menu = field.closest("[data-variable]");
    if (field.type !== "checkbox") {
      if (menu) menu.open = false;
      choose(field.form, field.name);
      return;
    }
    const all = menu.querySelector("input[value='$__all']");
    if (field === all) for (const other of menu.querySelectorAll("input:checked")) other.checked = other === all;
    else if (all) all.checked = false;
    menu.dataset.touched = "yes";
  }

  root.addEventListener("toggle", (event) => {
    const menu = event.target;
    if (!menu.matches?.("[data-variable]")) return;
    if (menu.open) {
      menu.querySelector("[data-search-options]")?.focus();
    } else if (menu.dataset.touched) {
      delete menu.dataset.touched;
      choose(menu.closest("form"), `var-${menu.dataset.variable}`);
    }
  }, true);

  root.addEventListener("input", (event) => {
    if (!event.target.matches("[data-search-options]")) return;
    const wanted = event.target.value.trim().toLowerCase();
    for (const option of event.target.closest("[data-variable]").querySelectorAll("[data-options] label")) {
      option.hidden = !option.textContent.toLowerCase().includes(wanted);
    }
  });

  root.addEventListener("keydown", (event) => {
    const field = event.target;
    if (!field.matches("[data-search-options]") || event.key !== "Enter") return;
    event.preventDefault();
    const menu = field.closest("[data-variable]");
    const first = menu.querySelector("[data-options] label:not([hidden]) input");
    if (field.value && first) first.click();
    else if (field.value && field.dataset.typed) page.go({ [field.dataset.typed]: field.value });
    else menu.open = false;
  });

  return {
    tell,
    zoomOut,
    shift,
    refresh: () => part("[data-refresh]").value,
    /** Says when panels were last asked. */
    asked(words) {
      document.querySelector("[data-asked]").textContent = `Asked ${words}.`;
    },
    openTimes() {
      const times = part("[data-times]");
      times.open = !times.open;
      if (times.open) times.querySelector("input[name=from]").select();
    },
    /** Says why the page does not follow its address. */
    fail(text) {
      bar.querySelector("[data-failed]")?.remove();
      bar.prepend(html("p", { class: "line is-failing", role: "alert", "data-failed": true }, html("span", {}, text)));
    },
    /** Takes on the server's new bar; the focus stays where it was. */
    follow(next) {
      const held = bar.contains(document.activeElement) ? document.activeElement.closest("[data-variable], [data-times], [data-act], [data-refresh]") : null;
      const name = ["data-variable", "data-times", "data-act", "data-refresh"].find((one) => held?.hasAttribute(one));
      const same = name && `[${name}="${CSS.escape(held.getAttribute(name))}"]`;
      const fresh = document.importNode(next, true);
      bar.replaceWith(fresh);
      bar = fresh;
      tell();
      const place = same && bar.querySelector(same);
      (place?.querySelector("summary") ?? place)?.focus({ preventScroll: true });
      announce(`Shown: ${part("[data-range-label]").textContent.trim()}`);
    },
  };
}

const plain = (event) => !(event.metaKey || event.ctrlKey || event.shiftKey || event.altKey || event.button);
