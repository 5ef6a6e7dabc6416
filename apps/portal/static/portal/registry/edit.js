// The editor of a dashboard: findings and preview follow what is typed, and leaving with unsaved text is asked about.

const PAUSE = 800; // milliseconds without a key after which the text is checked

for (const form of document.querySelectorAll("[data-editor]")) {
  const text = form.elements.namedItem("text");
  const preview = document.querySelector("[data-preview]");
  const state = preview.querySelector("[data-preview-state]");
  const frame = preview.querySelector("iframe");
  const began = text.defaultValue;
  let waiting = 0;
  let asking = null;

  text.addEventListener("input", () => {
    clearTimeout(waiting);
    waiting = setTimeout(check, PAUSE);
  });
  form.addEventListener("submit", () => removeEventListener("beforeunload", warn));
  addEventListener("beforeunload", warn);
  text.addEventListener("keydown", (event) => {
    if (event.key === "s" && (event.ctrlKey || event.metaKey)) {
      event.preventDefault();
      form.querySelector("[value=save]").click();
    }
  });
  if (!frame.getAttribute("src") && !("unsaved" in form.dataset)) check();

  function warn(event) {
    if (text.value !== began) event.preventDefault();
  }

  /** Keeps the text as a draft; shows what the linter says of it, and the draft where it is a dashboard. */
  async function check() {
    asking?.abort();
    const mine = new AbortController();
    asking = mine;
    const findings = document.querySelector("[data-findings]");
    findings.classList.add("is-waiting");
    try {
      const answer = await fetch(form.dataset.draft, { method: "POST", body: new FormData(form), signal: mine.signal });
      if (!answer.ok || answer.redirected) throw new Error(`The portal answered ${answer.status}.`);
      const told = new DOMParser().parseFromString(await answer.text(), "text/html").querySelector("[data-findings]");
      findings.replaceWith(told);
      draw(told.dataset.sound === "yes");
    } catch (error) {
      if (error.name === "AbortError") return;
      findings.classList.remove("is-waiting");
      state.textContent = `not checked: ${error.message}`;
    }
  }

  function draw(sound) {
    state.textContent = sound ? "as you write it" : "of what was last a dashboard";
    if (!sound) return;
    preview.hidden = false;
    const inside = frame.contentWindow;
    const place = frame.getAttribute("src") ? inside.scrollY : 0;
    frame.addEventListener("load", () => frame.contentWindow.scrollTo(0, place), { once: true });
    if (frame.getAttribute("src")) inside.location.reload();
    else frame.src = form.dataset.draft;
  }
}
