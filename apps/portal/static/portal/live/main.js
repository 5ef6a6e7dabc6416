// Pages that move: hears what changed, and brings the page to what the server now draws at its address.

import { createFeed } from "./feed.js";
import { morph } from "./morph.js";
import { isRead } from "./reading.js";
import { allow, allowed, ring } from "./ring.js";

const root = document.documentElement;
const mine = new Set((root.dataset.liveTopics ?? "").split(" ").filter(Boolean));
const alerts = "alerts";
const LEAST_GAP = 700; // milliseconds between the end of one look and the next
const LATER = 1500; // between two looks at whether a list is still read
const HIDDEN_FOR = 60_000; // a page that nobody sees for so long hears nothing any more

let spread = 0;
let dirty = false;
let looking = false;
let timer = 0;
let took = 0;
let ended = 0;
let paused = false;
let sleeping = false;
let waiting = null; // the server's newest drawing, while rows of it wait

const say = (state) => document.dispatchEvent(new CustomEvent("vpt:live", { detail: state }));
const main = document.getElementById("content");
// A whole dashboard minds its own page: only its panels follow what changes.
const whole = main?.querySelector("[data-dashboard] > [data-part=bar]") != null;

/** The page's own tables, those of its panels, and alerts, which ring on every page. */
function topics() {
  const panels = [...document.querySelectorAll("[data-tables]")].flatMap((panel) => panel.dataset.tables.split(" "));
  return [...new Set([...mine, ...panels.filter(Boolean), alerts])];
}

const feed = createFeed(topics, root.dataset.now, {
  state: (word) => say(word),
  spread: (seconds) => { spread = seconds * 1000; },
  changes(changes) {
    const fresh = changes.find((change) => change.topic === alerts)?.added.length ?? 0;
    if (fresh) ring(fresh);
    document.dispatchEvent(new CustomEvent("vpt:changes", { detail: new Set(changes.map((change) => change.topic)) }));
    if (changes.some((change) => mine.has(change.topic))) look();
  },
  reload() {
    document.dispatchEvent(new CustomEvent("vpt:changes", { detail: null }));
    if (mine.size) look();
  },
});

/** The page is out of date. A look follows soon: at once for the first change, then as the server keeps up. */
function look() {
  if (whole) return;
  dirty = true;
  if (looking || document.hidden || paused) return;
  clearTimeout(timer);
  const pause = Math.max(LEAST_GAP, took * 3) - (Date.now() - ended);
  timer = setTimeout(fetchPage, Math.max(0, pause) + Math.random() * spread);
}

async function fetchPage() {
  dirty = false;
  looking = true;
  const began = Date.now();
  try {
    const answer = await fetch(location.href, {
      headers: { Accept: "text/html", "X-Live": "1" }, credentials: "same-origin", cache: "no-store",
    });
    if (answer.redirected || answer.status === 403) {
      feed.stop();
      say("out");
      return;
    }
    if (answer.ok) apply(new DOMParser().parseFromString(await answer.text(), "text/html"));
  } catch {
    // The feed notices by itself that the portal is away, and says reload when it is back.
    dirty = true;
  } finally {
    looking = false;
    ended = Date.now();
    took = ended - began;
    if (dirty) look();
  }
}

function apply(page) {
  const drawn = page.getElementById("content");
  if (!drawn || !main) return;
  // Titles may count, and tell how the page's own thing is.
  const number = /^\(\d+\) /.exec(document.title)?.[0] ?? "";
  if (page.title) document.title = number + page.title;
  const lists = new Map();
  let held = false;
  morph(main, drawn, {
    held: isRead,
    found(list, rows, isHeld) {
      held ||= isHeld;
      lists.set(list, { rows, held: isHeld });
    },
  });
  waiting = held ? page : null;
  for (const note of main.querySelectorAll(".live-news")) if (!lists.get(listOf(note))?.held) note.remove();
  for (const [list, { rows, held: isHeld }] of lists) tell(list, rows, isHeld);
  document.dispatchEvent(new CustomEvent("vpt:moved", { detail: main }));
  if (held) later();
}

// --- Rows that wait, while somebody reads ----------------------------------------------------------------------------

const frame = (list) => list.closest(".table-block") ?? list;
const listOf = (note) => note.nextElementSibling?.querySelector("tbody") ?? note.nextElementSibling;

function words(list, rows) {
  const many = list.closest("[data-live-noun]")?.dataset.liveNoun ?? "entries";
  const one = many === "entries" ? "entry" : many.replace(/s$/, "");
  return `${rows} new ${rows === 1 ? one : many}`;
}

function tell(list, rows, held) {
  const text = words(list, rows);
  announce(text);
  const place = frame(list);
  let note = place.previousElementSibling;
  if (!note?.matches(".live-news")) note = null;
  if (!held) {
    note?.remove();
    return;
  }
  if (!note) {
    note = document.createElement("div");
    note.className = "live-news";
    const button = document.createElement("button");
    button.type = "button";
    button.className = "button is-small";
    button.addEventListener("click", () => {
      document.activeElement?.blur();
      getSelection()?.removeAllRanges();
      note.remove();
      settle(true);
      frame(list).scrollIntoView({ block: "start" });
    });
    note.append(button);
    place.before(note);
  }
  note.firstChild.textContent = text;
}

function announce(text) {
  const place = document.querySelector("[data-announcer]");
  if (place && !document.hidden) place.textContent = text;
}

/** Puts in what waits, once nobody reads there any more, or because somebody asked for it. */
function settle(asked = false) {
  if (!waiting) return;
  if (asked) {
    const page = waiting;
    waiting = null;
    const drawn = page.getElementById("content");
    morph(main, drawn, { held: () => false, found: () => {} });
    for (const note of main.querySelectorAll(".live-news")) note.remove();
    document.dispatchEvent(new CustomEvent("vpt:moved", { detail: main }));
  } else apply(waiting);
}

let checking = 0;
function later() {
  clearTimeout(checking);
  checking = setTimeout(() => {
    if (waiting && !document.hidden) settle();
    else if (waiting) later();
  }, LATER);
}

// --- What the viewer may choose, and pages that nobody sees --------------------------------------------------------

let asleep = 0;

function rest() {
  sleeping = true;
  feed.stop();
  say("paused");
}

function wake() {
  clearTimeout(asleep);
  if (paused) return;
  if (sleeping) {
    sleeping = false;
    say("reconnecting");
    feed.start();
  }
  if (dirty) look();
}

document.addEventListener("visibilitychange", () => {
  clearTimeout(asleep);
  if (!document.hidden) wake();
  // Whoever wants to be rung for hears on.
  else if (!allowed()) asleep = setTimeout(rest, HIDDEN_FOR);
});

const pause = document.querySelector("[data-live-pause]");
pause?.addEventListener("click", () => {
  paused = !paused;
  pause.textContent = paused ? "Resume" : "Pause";
  if (paused) rest();
  else wake();
});

const bell = document.querySelector("[data-live-ring]");
if (bell) {
  bell.checked = allowed();
  bell.addEventListener("change", () => allow(bell.checked));
}

addEventListener("pagehide", () => feed.stop());
addEventListener("pageshow", (event) => {
  // A page that comes back from the browser's memory is as old as it was left.
  if (event.persisted && !paused) {
    feed.start();
    if (mine.size) look();
  }
});

say("reconnecting");
feed.start();
