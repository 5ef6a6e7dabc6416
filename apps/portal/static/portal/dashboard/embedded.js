// A panel that Grafana draws, in a frame of its own.

import { html } from "../panels/dom.js";

const PATIENCE = 25_000; // milliseconds after which a frame that is not there yet counts as lost
const REST = 60_000; // milliseconds until a panel whose frame was lost tries Grafana again
const AT_ONCE = 3; // frames that start together: each starts all of Grafana's program

const waiting = [];
let starting = 0;

function proceed() {
  while (starting < AT_ONCE && waiting.length) {
    starting += 1;
    waiting.shift()();
  }
}

/**
 * The frame of the panel `element`. `begun()` is called when it takes the place of what was there, `lost()` when Grafana
 * does not show the panel.
 */
export function createEmbedded(element, { begun, lost }) {
  const body = element.querySelector("[data-panel-body]");
  let shown = null;
  let end = null; // gives the frame's place among those that start to the next one
  let lostAt = -Infinity;

  function start(frame) {
    let clock = 0;
    const done = () => {
      clearTimeout(clock);
      if (end !== done) return;
      end = null;
      starting -= 1;
      proceed();
    };
    const fail = () => {
      done();
      if (frame !== shown) return;
      lostAt = performance.now();
      lost();
    };
    end = done;
    clock = setTimeout(fail, PATIENCE);
    frame.addEventListener("load", () => {
      done();
      if (frame !== shown) return;
      if (frame.getAttribute("src") !== frame.dataset.address) {
        // It has loaded anew by itself, and so stands where it began.
        frame.src = frame.dataset.address;
        return;
      }
      frame.dataset.loaded = "yes";
      if (!isGrafana(frame)) fail();
    });
    element.dataset.drawnBy = "grafana";
    element.classList.remove("is-loading");
    begun();
    body.replaceChildren(frame);
  }

  function leave() {
    end?.();
    shown?.remove();
    shown = null;
  }

  return {
    get shown() { return shown !== null; },

    /** Whether Grafana failed this panel lately, after the moment `since` when it was well. */
    rests: (since) => lostAt > since && performance.now() - lostAt < REST,

    /**
     * Shows the panel at `address`. The same one again loads anew only when a person asks (`again`). Where Grafana
     * follows its address (`follows`), another range needs no new start of its program.
     */
    show(address, title, { again, follows }) {
      if (shown?.dataset.address === address && !again) return;
      if (follows && shown?.dataset.loaded && shown.dataset.address !== address && moved(shown, address)) return;
      leave();
      const frame = html("iframe", { class: "panel-embedded", title, src: address, "data-address": address });
      shown = frame;
      element.classList.add("is-loading");
      waiting.push(() => {
        if (frame === shown) start(frame);
        else starting -= 1;
      });
      proceed();
    },

    remove() {
      leave();
      delete element.dataset.drawnBy;
    },
  };
}

/** Whether a frame shows Grafana, not the portal's word that it is away, nor the sign-in, nor the browser's own page. */
function isGrafana(frame) {
  try {
    const { contentDocument: inside, contentWindow: view } = frame;
    return view.location.pathname.startsWith("/grafana/") && !inside.querySelector("meta[name=vptmonitor-answer]");
  } catch {
    return false;
  }
}

/** Takes Grafana inside a frame to another address, as its own links do. */
function moved(frame, address) {
  try {
    frame.contentWindow.history.replaceState(null, "", address);
    frame.contentWindow.dispatchEvent(new PopStateEvent("popstate"));
    frame.dataset.address = address;
    return true;
  } catch {
    return false;
  }
}
