// The feed of changes: a socket while there can be one, else the same by asking; one token leads through both.

const PLACE = "/live/";
const ASK = "/api/v1/live/events";
const FIRST_WAIT = 500; // milliseconds before the second attempt; doubled each time
const LONGEST_WAIT = 30_000;
const ATTEMPTS = 3; // sockets that fail in a row before asking begins; sockets are still tried now and then
const SOCKET_AGAIN = 60_000;
const SILENCE = 2.5; // beats without a word after which the way is taken for cut

/** Hears of `topics()`. `on` has `state(word)`, `changes(list)`, `reload()` and `spread(seconds)`. */
export function createFeed(topics, drawnAt, on) {
  let token = null;
  let socket = null;
  let failures = 0;
  let timer = 0;
  let watchdog = 0;
  let beat = 15;
  let running = false;
  let asking = null;
  let socketLast = 0;

  function start() {
    if (running) return;
    running = true;
    failures = 0;
    open();
  }

  function stop() {
    running = false;
    clearTimeout(timer);
    clearTimeout(watchdog);
    asking?.abort();
    drop();
  }

  /** Leaves the socket. One that is only being opened is closed once it is: browsers complain otherwise. */
  function drop() {
    const old = socket;
    socket = null;
    if (!old) return;
    if (old.readyState === WebSocket.CONNECTING) old.onopen = () => old.close();
    else old.close();
  }

  const jittered = (milliseconds) => milliseconds * (0.5 + Math.random() / 2);

  function again() {
    clearTimeout(timer);
    if (!running) return;
    failures += 1;
    if (failures >= ATTEMPTS) {
      ask();
      return;
    }
    on.state("reconnecting");
    timer = setTimeout(open, jittered(Math.min(LONGEST_WAIT, FIRST_WAIT * 2 ** (failures - 1))));
  }

  function open() {
    socketLast = Date.now();
    let mine;
    try {
      mine = new WebSocket(`${location.protocol === "https:" ? "wss" : "ws"}://${location.host}${PLACE}`);
    } catch {
      again(); // a browser or its policy that allows none
      return;
    }
    socket = mine;
    mine.onopen = () => mine.send(JSON.stringify({ type: "hello", topics: topics(), after: token, since: token ? null : drawnAt }));
    mine.onmessage = ({ data }) => {
      if (socket === mine) heard(JSON.parse(data));
    };
    mine.onclose = () => {
      if (socket !== mine) return;
      socket = null;
      clearTimeout(watchdog);
      again();
    };
    watch();
  }

  /** A way that is cut says nothing: whoever is silent for too long is left. */
  function watch() {
    clearTimeout(watchdog);
    watchdog = setTimeout(() => {
      drop();
      again();
    }, beat * SILENCE * 1000);
  }

  function heard(message) {
    watch();
    token = message.token || token;
    if (message.type === "welcome") {
      failures = 0;
      beat = message.beat;
      on.spread(message.spread);
      on.state("live");
    } else take(message);
  }

  function take(message) {
    if (message.type === "events" && message.events.length) on.changes(message.events);
    else if (message.type === "reload") on.reload();
  }

  async function ask() {
    asking = new AbortController();
    let wait = Math.min(LONGEST_WAIT, FIRST_WAIT * 2 ** (failures - ATTEMPTS + 2));
    try {
      const query = new URLSearchParams({ topics: topics().join(",") });
      if (token) query.set("after", token);
      const answer = await fetch(`${ASK}?${query}`, {
        headers: { Accept: "application/json" }, signal: asking.signal, credentials: "same-origin", cache: "no-store",
      });
      if (answer.status === 401 || answer.status === 403) {
        stop();
        on.state("out");
        return;
      }
      if (answer.status === 400) token = null;
      if (!answer.ok) throw new Error(answer.status);
      const message = await answer.json();
      // Without a token the answer is where to begin; the page may be older than that.
      if (!token) on.reload();
      token = message.token;
      failures = ATTEMPTS - 1;
      wait = message.again * 1000;
      take(message);
      on.state("polling");
    } catch (error) {
      if (error.name === "AbortError") return;
      failures += 1;
      on.state("lost");
    }
    if (!running) return;
    const next = Date.now() - socketLast > SOCKET_AGAIN ? open : ask;
    timer = setTimeout(next, jittered(wait));
  }

  return { start, stop };
}
