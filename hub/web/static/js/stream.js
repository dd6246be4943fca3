// One tab of a browser listens to /live and tells the others: six connections to a server are all that a browser opens over HTTP/1.1.
// The server names leads and positions only; what is shown each page fetches itself. "hub-moved" on document carries what came;
// "hub-quiet" says that nobody listens now, and live.js looks by itself until "hub-listening".
const LOCK = "hub-live", CHANNEL = "hub-live", SEEN = "hubSeq";
const AGAIN = 30000, DEAF = 45000;
let heard = 0, listening = false;

function say(state) {
  if (state === listening) return;
  listening = state;
  document.dispatchEvent(new Event(state ? "hub-listening" : "hub-quiet"));
}

function take(moved) {
  heard = Date.now();
  say(true);
  if (moved.seq) document.dispatchEvent(new CustomEvent("hub-moved", { detail: moved }));
}

// Held until the connection is refused: a closed tab frees the lock, and the next tab listens.
function listen(channel) {
  return new Promise((done) => {
    const after = sessionStorage.getItem(SEEN);
    const source = new EventSource(after ? `/live?after=${after}` : "/live");
    const pass = (moved) => { channel.postMessage(moved); take(moved); };
    const beat = setInterval(() => { if (source.readyState === EventSource.OPEN) pass({ on: true }); }, 15000);
    source.onopen = () => pass({ on: true });
    source.onmessage = (event) => {
      sessionStorage.setItem(SEEN, event.lastEventId);
      pass(JSON.parse(event.data));
    };
    source.onerror = () => {
      if (source.readyState !== EventSource.CLOSED) return; // the browser asks again by itself
      clearInterval(beat);
      say(false);
      done();
    };
  });
}

async function lead(channel) {
  for (;;) {
    await navigator.locks.request(LOCK, () => listen(channel));
    await new Promise((next) => { setTimeout(next, AGAIN); });
  }
}

export function start() {
  const signedIn = document.querySelector("[data-bell]");
  if (!signedIn || !navigator.locks || !globalThis.BroadcastChannel) return; // plain http on another host: live.js looks by itself
  const channel = new BroadcastChannel(CHANNEL);
  channel.onmessage = (event) => take(event.data);
  setInterval(() => { if (Date.now() - heard > DEAF) say(false); }, 15000);
  lead(channel);
}
