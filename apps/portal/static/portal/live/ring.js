// New alerts ring: a number before the page's title until somebody looks, and a sound where it was allowed.

const KEPT = "vptmonitor.ring";
const TONES = [[880, 0], [660, 0.16]]; // hertz, and seconds after the first
const QUIET = 3000; // milliseconds between two sounds

let context = null;
let last = 0;
let unseen = 0;

export const allowed = () => localStorage.getItem(KEPT) === "yes";

/** Allows or forbids the sound. Browsers play none before a hand has touched the page: this is such a touch. */
export function allow(wanted) {
  localStorage.setItem(KEPT, wanted ? "yes" : "no");
  if (wanted) sound();
}

/** `count` alerts are new. */
export function ring(count) {
  if (document.hidden || !document.hasFocus()) {
    unseen += count;
    title();
  }
  if (allowed() && Date.now() - last > QUIET) sound();
}

function seen() {
  if (!unseen || document.hidden) return;
  unseen = 0;
  title();
}

document.addEventListener("visibilitychange", seen);
addEventListener("focus", seen);

function title() {
  const plain = document.title.replace(/^\(\d+\) /, "");
  document.title = unseen ? `(${unseen}) ${plain}` : plain;
}

function sound() {
  last = Date.now();
  try {
    context ??= new AudioContext();
    if (context.state === "suspended") context.resume();
    for (const [frequency, after] of TONES) {
      const tone = context.createOscillator();
      const volume = context.createGain();
      const begins = context.currentTime + after;
      tone.frequency.value = frequency;
      volume.gain.setValueAtTime(0.12, begins);
      volume.gain.exponentialRampToValueAtTime(0.001, begins + 0.3);
      tone.connect(volume).connect(context.destination);
      tone.start(begins);
      tone.stop(begins + 0.3);
    }
  } catch {
    // A browser without sound still shows the title.
  }
}
