// Words for people: times in a zone, and announcements.

/** Says something to whoever listens to the page rather than sees it. */
export function announce(text) {
  const place = document.querySelector("[data-announcer]");
  if (place) place.textContent = text;
}

/** A range in words of a zone: the day once where both ends lie in it. */
export function rangeWords(start, end, timeZone) {
  const day = new Intl.DateTimeFormat("en-GB", { day: "numeric", month: "short", year: "numeric", timeZone });
  const time = new Intl.DateTimeFormat("en-GB", { hour: "2-digit", minute: "2-digit", second: "2-digit", timeZone });
  const clock = (at) => time.format(at).replace(/:00$/, "");
  const [from, to] = [day.format(start), day.format(end)];
  return from === to ? `${from}, ${clock(start)} to ${clock(end)}` : `${from}, ${clock(start)} to ${to}, ${clock(end)}`;
}
