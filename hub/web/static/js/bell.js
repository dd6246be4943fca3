// What a person was told: the count on the bell, in the title and on the tab's icon, a sentence, and a sound for who asked for it.
// Sounds come from the server's events, never from a countdown. They are made here: no file, nothing to load.
import { toast } from "./toast.js";
import { say } from "./words.js";

const SOUND = "hubSound";
// Tones as [hertz, seconds from the start]: a new request rises, a missed deadline falls.
const TUNES = {
  new: [[660, 0], [880, 0.14], [1320, 0.28]], offered: [[660, 0], [880, 0.14], [1320, 0.28]], written: [[740, 0], [988, 0.14]],
  near: [[880, 0], [880, 0.22]], late: [[440, 0], [330, 0.2]], test: [[660, 0], [880, 0.14], [1320, 0.28]],
};
const title = document.title;
let ears = null;

const wanted = () => localStorage.getItem(SOUND) === "on";

function play(name) {
  ears ??= new AudioContext();
  for (const [pitch, at] of TUNES[name] ?? TUNES.written) {
    const from = ears.currentTime + at, tone = ears.createOscillator(), loud = ears.createGain();
    tone.frequency.value = pitch;
    loud.gain.setValueAtTime(0.0001, from);
    loud.gain.exponentialRampToValueAtTime(0.2, from + 0.02);
    loud.gain.exponentialRampToValueAtTime(0.0001, from + 0.25);
    tone.connect(loud).connect(ears.destination);
    tone.start(from);
    tone.stop(from + 0.3);
  }
}

// One tab sounds, and once: the first that may (a browser lets a page play only after a click or a key in it). A new request that
// is offered to somebody in the next moment is one sound.
function sound(name) {
  if (!wanted() || !navigator.userActivation?.hasBeenActive) return;
  navigator.locks.request("hub-sound", { ifAvailable: true }, async (lock) => {
    if (!lock) return;
    play(name);
    document.documentElement.dataset.sounded = name;
    await new Promise((done) => { setTimeout(done, 2000); });
  });
}

function count(number) {
  const bell = document.querySelector("[data-bell]");
  if (!bell || number === undefined) return;
  const badge = bell.querySelector(".n");
  badge.textContent = number > 99 ? "99+" : String(number);
  badge.hidden = !number;
  const words = bell.dataset.words.replace("0", String(number));
  bell.setAttribute("aria-label", words);
  bell.title = words;
  document.title = number ? `(${number > 99 ? "99+" : number}) ${title}` : title;
  const icon = document.querySelector('link[rel="icon"]');
  const wantedIcon = number ? icon.dataset.new : icon.dataset.calm;
  if (icon.getAttribute("href") !== wantedIcon) icon.setAttribute("href", wantedIcon);
}

document.addEventListener("hub-moved", ({ detail }) => {
  count(detail.bell);
  const [newest] = detail.told ?? [];
  const name = newest?.kind ?? detail.sound;
  if (name) sound(name);
  if (newest && !document.hidden && !location.pathname.includes(newest.lead)) {
    toast(newest.text, { action: { text: say("openIt"), run: () => { location.href = `/leads/${newest.lead}`; } } });
  }
});

function show(button) {
  button.setAttribute("aria-pressed", String(wanted()));
  button.querySelector('[data-when="on"]').hidden = !wanted();
  button.querySelector('[data-when="off"]').hidden = wanted();
}

export function start() {
  const bell = document.querySelector("[data-bell]");
  if (!bell) return;
  count(Number(bell.dataset.bell));
  document.querySelectorAll("[data-sound]").forEach(show);
}

document.addEventListener("click", (event) => {
  const button = event.target.closest?.("[data-sound]");
  if (!button) return;
  localStorage.setItem(SOUND, wanted() ? "off" : "on");
  document.querySelectorAll("[data-sound]").forEach(show);
  if (wanted()) play("test");
  toast(say(wanted() ? "soundOn" : "soundOff"));
});
