// Words for people: times in a zone, and announcements.

/** Says something to whoever listens to the page rather than sees it. */
export function announce(text) {
  const place = document.querySelector("[data-announcer]");
  if (place) place.textContent = text;
}

const DAY = 86_400_000;

/** A range in words of a zone: the day once where both ends lie in it, seconds where they matter. */
export function rangeWords(start, end, timeZone) {
  const day = new Intl.DateTimeFormat("en-GB", { day: "numeric", month: "short", year: "numeric", timeZone });
  const time = (at) => clock(at, timeZone).replace(end - start > DAY ? /:\d\d$/ : /:00$/, "");
  const [from, to] = [day.format(start), day.format(end)];
  return from === to ? `${from}, ${time(start)} to ${time(end)}` : `${from}, ${time(start)} to ${to}, ${time(end)}`;
}

/** The time of day in a zone. */
export const clock = (at, timeZone) =>
  new Intl.DateTimeFormat("en-GB", { hour: "2-digit", minute: "2-digit", second: "2-digit", timeZone }).format(at);

/** An instant as people type it into the picker: `2026-03-01 12:00:00`. */
export const typed = (at, timeZone) =>
  new Intl.DateTimeFormat("sv-SE", {
    year: "numeric", month: "2-digit", day: "2-digit", hour: "2-digit", minute: "2-digit", second: "2-digit", timeZone,
  }).format(at);
