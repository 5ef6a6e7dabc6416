// A panel's frame: asks for its view, draws it, says what is going on.

import { draw } from "../panels/draw.js";
import { html } from "../panels/dom.js";
import { askJson } from "./ask.js";
import { createEmbedded } from "./embedded.js";
import { icon } from "./icon.js";
import { inspect } from "./onward.js";

const SLOW = 3000; // milliseconds after which a panel says that it still waits
const STEPS = [60, 30, 15, 10, 5, 2]; // seconds, as in apps.panels.cache: answers are shared for so long

/** Waits while the pointer is pressed inside: what somebody drags over is not drawn anew under the hand. */
async function released(element) {
  while (element.matches(":active")) {
    await new Promise((done) => {
      for (const name of ["pointerup", "pointercancel", "blur"]) addEventListener(name, () => setTimeout(done), { once: true });
    });
  }
}

/**
 * A frame around `element`. `load()` asks anew; what is drawn stays until the answer is there. Where Grafana draws, its
 * frame is inside; that one refreshes itself, so `load({ tick: true })` leaves it alone.
 */
export function createFrame(element, page) {
  const body = element.querySelector("[data-panel-body]");
  const notes = element.querySelector("[data-panel-notes]");
  const title = element.querySelector("[data-panel-title]");
  const frame = { element, load, soon, leave, address, stale: true, answer: null, get embedded() { return embedded.shown; }, get name() { return title.textContent || `Panel ${element.dataset.panel}`; } };
  const embedded = createEmbedded(element, { begun: clear, lost: outdraw });
  let asking = null;
  let drawing = null;
  let clock = 0;
  let later = 0;
  let again = false;
  let began = 0;

  /** The address of this panel's data; `extra` says in which form. */
  function address(extra = {}) {
    const query = new URLSearchParams(page.query());
    for (const [name, value] of new URLSearchParams(element.dataset.query)) query.append(name, value);
    query.set("maxDataPoints", Math.max(1, Math.round(body.clientWidth || 600)));
    if (body.clientHeight) query.set("height", Math.round(body.clientHeight));
    for (const [name, value] of Object.entries(extra)) query.set(name, value);
    return `${page.api}${element.dataset.panel}/data?${query}`;
  }

  async function load({ tick = false } = {}) {
    leave();
    if (page.drawer?.by === "grafana" && (page.drawer.only || !embedded.rests(page.drawer.since))) {
      frame.stale = false;
      embedded.show(page.drawer.solo(element), frame.name, { again: !tick, follows: page.drawer.moves });
      return;
    }
    const mine = new AbortController();
    asking = mine;
    frame.stale = false;
    element.classList.add("is-loading");
    body.setAttribute("aria-busy", "true");
    clearTimeout(later);
    later = 0;
    began = Date.now();
    clock = setInterval(() => {
      element.dataset.waiting = `Still asking, ${Math.round((Date.now() - began) / 1000)} s`;
    }, SLOW);
    try {
      const answer = await askJson(address({ as: "view" }), mine.signal);
      await released(element);
      mine.signal.throwIfAborted();
      frame.answer = answer;
      show(answer);
    } catch (error) {
      if (error.name !== "AbortError") outlive(error);
    } finally {
      if (asking === mine) rest();
    }
  }

  /** Grafana's frame takes the place of what the portal drew. */
  function clear() {
    drawing?.destroy();
    drawing = null;
    notes.replaceChildren();
    delete element.dataset.failed;
    element.classList.remove("is-stale");
  }

  /** Grafana did not show the panel: the portal draws it, where it may. */
  function outdraw() {
    if (page.drawer.only) fail("Grafana does not show this panel.", "It is down, or does not have this dashboard.");
    else load();
  }

  /** Asks anew once the range has moved on: until then the same answer would come. An hour moves every 2 s, a day every
   * minute. */
  function soon() {
    if (later || asking) {
      again = asking !== null;
      return;
    }
    if (embedded.shown) return; // Grafana's own frame refreshes itself
    const { from, to } = frame.answer?.timing ?? {};
    const span = (Date.parse(to) - Date.parse(from)) / 1000 || 0;
    const step = STEPS.find((seconds) => seconds <= span / 1440) ?? STEPS.at(-1);
    const asked = Date.now() - began;
    later = setTimeout(() => {
      later = 0;
      if (document.hidden) frame.stale = true;
      else load();
    }, Math.max(0, step * 1000 - asked) + Math.random() * 300);
  }

  /** Stops asking. */
  function leave() {
    if (asking) frame.stale = true;
    asking?.abort();
    rest();
  }

  function rest() {
    asking = null;
    if (again) {
      again = false;
      soon();
    }
    clearInterval(clock);
    delete element.dataset.waiting;
    element.classList.remove("is-loading");
    body.removeAttribute("aria-busy");
  }

  function show(answer) {
    element.classList.remove("is-stale");
    if (answer.title) {
      title.textContent = answer.title;
      if (!title.href) title.title = answer.title;
      element.setAttribute("aria-label", answer.title);
    }
    const { error, view } = answer;
    const failed = error && view.kind === "nothing";
    annotate(error && !failed ? [error.text, ...answer.notices] : answer.notices);
    if (failed) {
      fail(error.text, error.fix, answer.sql.length > 0);
      return;
    }
    delete element.dataset.failed;
    embedded.remove();
    drawing = draw(body, view, {
      label: frame.name, zone: page.zone(), crosshair: page.crosshair,
      zoom: (from, to) => page.go({ from: String(from), to: String(to) }), zoomOut: () => page.zoomOut(),
    });
  }

  /** What was drawn stays when the portal does not answer, and looks old. */
  function outlive({ message, fix, passing }) {
    if (!drawing || !passing) {
      fail(message, fix);
      return;
    }
    element.classList.add("is-stale");
    annotate([`${message} ${fix ?? ""}`.trim()]);
  }

  function annotate(notices) {
    notes.replaceChildren();
    if (!notices.length) return;
    const mark = html("button", { type: "button", class: "panel-mark is-warning", title: notices.join("\n"), "aria-label": notices.join(" ") }, icon("error"));
    mark.addEventListener("click", () => inspect(frame, page, "query"));
    notes.append(mark);
  }

  function fail(text, fix = "", hasSql = false) {
    drawing?.destroy();
    drawing = null;
    embedded.remove();
    element.dataset.failed = "yes";
    const again = html("button", { type: "button", class: "button is-small" }, "Try again");
    again.addEventListener("click", () => load());
    const look = hasSql && html("button", { type: "button", class: "button is-small" }, "See the SQL");
    if (look) look.addEventListener("click", () => inspect(frame, page, "query"));
    body.replaceChildren(
      html("div", { class: "panel-failed", role: "alert" }, icon("error"), html("p", {}, text || "This panel cannot be shown."),
        fix && html("p", { class: "muted" }, fix), html("p", { class: "panel-failed-acts" }, again, look || null)),
    );
  }

  return frame;
}
