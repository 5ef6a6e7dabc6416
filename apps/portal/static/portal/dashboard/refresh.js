// Refreshing by itself, while somebody can see it.

/** Milliseconds of a text such as `30s`; 0 for none. */
export function duration(text) {
  const found = /^(\d+)([smhd])$/.exec(text ?? "");
  return found ? Number(found[1]) * UNITS[found[2]] : 0;
}

const UNITS = { s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 };

/** Calls `tick` every so often. `every("30s")` sets the interval, an empty text ends it. */
export function createRefresh(tick) {
  let timer = 0;
  let text = "";
  let missed = false;

  document.addEventListener("visibilitychange", () => {
    if (document.hidden || !missed) return;
    missed = false;
    tick();
  });

  return {
    every(interval) {
      if (interval === text) return;
      text = interval;
      clearInterval(timer);
      if (!duration(interval)) return;
      timer = setInterval(() => {
        missed = document.hidden;
        if (!missed) tick();
      }, duration(interval));
    },
  };
}
