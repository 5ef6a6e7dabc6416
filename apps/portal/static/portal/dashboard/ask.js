// Asking the portal.

/** What could not be had, in words for the person who looks. `passing`: the same question may soon be answered. */
export class Refusal extends Error {
  constructor(text, fix = "", passing = false) {
    super(text);
    Object.assign(this, { fix, passing });
  }
}

/** The JSON at an address. Throws Refusal; an AbortError when `signal` says so. */
export async function askJson(url, signal) {
  const answer = await get(url, "application/json", signal);
  const kind = answer.headers.get("Content-Type") ?? "";
  if (!kind.includes("json")) throw refusal(answer);
  const body = await answer.json();
  if (!answer.ok) throw refusal(answer, body);
  return body;
}

/** The document at an address of this portal. */
export async function askPage(url, signal) {
  const answer = await get(url, "text/html", signal);
  if (!answer.ok || answer.redirected) throw refusal(answer);
  return new DOMParser().parseFromString(await answer.text(), "text/html");
}

async function get(url, accept, signal) {
  try {
    return await fetch(url, { headers: { Accept: accept }, signal, credentials: "same-origin" });
  } catch (error) {
    if (error.name === "AbortError") throw error;
    throw new Refusal("The portal does not answer.", "It is asked again at the next refresh.", true);
  }
}

function refusal(answer, body = {}) {
  if (answer.redirected) return new Refusal("You are signed out.", "Load the page again to sign in.");
  const text = body.detail ?? body.title ?? `The portal answered ${answer.status}.`;
  return new Refusal(text, body.detail && body.title !== body.detail ? body.title ?? "" : "", answer.status >= 500);
}
