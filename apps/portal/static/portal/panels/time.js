// Times on axes and in tooltips, in the zone of the dashboard.

const SECOND = 1000;
const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;
const WEEK_STARTS = 4 * DAY; // 1970-01-05, the first Monday
const STEPS = [
  ...[1, 2, 5, 10, 15, 30].map((n) => n * SECOND),
  ...[1, 2, 5, 10, 15, 30].map((n) => n * MINUTE),
  ...[1, 2, 3, 6, 12].map((n) => n * HOUR),
  ...[1, 2, 7, 14].map((n) => n * DAY),
];
const MONTHS = [1, 2, 3, 6, 12, 24, 60, 120, 240, 600];
const MONTH = 30.44 * DAY;

const zones = new Map();

/** Ticks and words of a zone: an IANA name, `utc`, or nothing for the browser's own. */
export function zoned(name) {
  const zone = !name || name === "browser" ? undefined : name === "utc" ? "UTC" : name;
  if (!zones.has(zone)) zones.set(zone, make(zone));
  return zones.get(zone);
}

function make(timeZone) {
  const format = (options) => new Intl.DateTimeFormat("en-GB", { timeZone, ...options });
  const parts = format({
    year: "numeric", month: "numeric", day: "numeric", hour: "numeric", minute: "numeric", second: "numeric", hourCycle: "h23",
  });
  const words = {
    second: format({ hour: "2-digit", minute: "2-digit", second: "2-digit" }),
    minute: format({ hour: "2-digit", minute: "2-digit" }),
    day: format({ day: "numeric", month: "short" }),
    month: format({ month: "short", year: "numeric" }),
    year: format({ year: "numeric" }),
    full: format({ weekday: "short", day: "numeric", month: "short", year: "numeric", hour: "2-digit", minute: "2-digit", second: "2-digit" }),
  };

  /** What the wall shows at an instant, as if it were UTC. */
  function wall(time) {
    const found = Object.fromEntries(parts.formatToParts(time).map((part) => [part.type, Number(part.value)]));
    return Date.UTC(found.year, found.month - 1, found.day, found.hour, found.minute, found.second);
  }

  const offset = (time) => wall(time) - Math.floor(time / SECOND) * SECOND;

  /** The instant at which the wall shows this. */
  function instant(local) {
    const guess = local - offset(local);
    return local - offset(guess);
  }

  function ticks(start, end, count) {
    const rough = (end - start) / Math.max(1, count);
    const step = STEPS.find((candidate) => candidate >= rough);
    return step ? even(start, end, step) : monthly(start, end, MONTHS.find((months) => months * MONTH >= rough) ?? 1200);
  }

  function even(start, end, step) {
    const shift = step >= 7 * DAY ? WEEK_STARTS : 0;
    const found = [];
    let local = Math.ceil((wall(start) - shift) / step) * step + shift;
    for (; found.length < 200; local += step) {
      const time = instant(local);
      if (time > end) break;
      if (time < start) continue;
      const midnight = local % DAY === 0;
      found.push({ time, text: words[step < MINUTE ? "second" : step < DAY && !midnight ? "minute" : "day"].format(time) });
    }
    return found;
  }

  function monthly(start, end, months) {
    const found = [];
    const first = new Date(wall(start));
    let month = Math.floor((first.getUTCFullYear() * 12 + first.getUTCMonth()) / months) * months;
    for (; found.length < 200; month += months) {
      const time = instant(Date.UTC(Math.floor(month / 12), month % 12));
      if (time > end) break;
      if (time >= start) found.push({ time, text: words[months % 12 ? "month" : "year"].format(time) });
    }
    return found;
  }

  return { ticks, full: (time) => words.full.format(time), clock: (time) => words.second.format(time) };
}
