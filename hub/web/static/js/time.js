// Countdowns and relative times, by the server's clock: <meta name="server-time"> gives its offset from this device's.
// The text changes in place with no aria-live: a screen reader hears it when it comes to it, never every second.
import { say } from "./words.js";

const SECOND = 1000, MINUTE = 60, HOUR = 3600, DAY = 86400;
const WRONG = 3 * SECOND; // Date headers have whole seconds: a smaller difference would only make the countdowns jump
let offset = 0;

// Called at start and with the Date header of every htmx answer, so that a page open for days stays right.
export function setServerTime(text) {
  const server = Date.parse(text);
  if (Math.abs(server - now()) > WRONG) offset = server - Date.now();
}

export const now = () => Date.now() + offset;

const two = (n) => String(n).padStart(2, "0");

// Seconds until the deadline as people say them: 18:24, then 5 h 12 min, then 2 d 6 h; overdue with a minus.
export function left(seconds) {
  const s = Math.abs(Math.trunc(seconds)), sign = seconds <= -1 ? "−" : "";
  const d = Math.trunc(s / DAY), h = Math.trunc((s % DAY) / HOUR), m = Math.trunc((s % HOUR) / MINUTE);
  if (d) return `${sign}${d} ${say("d")}${h ? ` ${h} ${say("h")}` : ""}`;
  if (h) return `${sign}${h} ${say("h")}${m ? ` ${m} ${say("m")}` : ""}`;
  return `${sign}${two(m)}:${two(s % MINUTE)}`;
}

function distance(seconds) {
  const s = Math.abs(seconds);
  if (s < MINUTE) return say("now");
  const words = s < HOUR ? `${Math.trunc(s / MINUTE)} ${say("m")}` : left(s);
  return seconds < 0 ? `${words} ${say("ago")}` : `${say("in")} ${words}`;
}

function set(element, text) {
  if (element.textContent !== text) element.textContent = text;
}

function tick() {
  const at = now();
  for (const element of document.querySelectorAll("[data-due]")) {
    const seconds = (Date.parse(element.dataset.due) - at) / SECOND;
    set(element, left(seconds));
    const box = element.closest(".due,[data-due-box]");
    if (box && seconds < 0 && !box.classList.contains("bad")) {
      box.classList.remove("ok", "warn");
      box.classList.add("bad");
    }
    const bar = box?.querySelector("[data-since]");
    if (bar) {
      const since = Date.parse(bar.dataset.since), whole = Date.parse(element.dataset.due) - since;
      bar.setAttribute("width", String(Math.max(0, Math.min(100, ((at - since) / whole) * 100)).toFixed(1)));
    }
  }
  for (const element of document.querySelectorAll("[data-ago]")) {
    set(element, distance((Date.parse(element.dataset.ago) - at) / SECOND));
  }
}

export function start() {
  setServerTime(document.querySelector('meta[name="server-time"]')?.content);
  tick();
  setInterval(() => { if (!document.hidden) tick(); }, SECOND);
  document.addEventListener("visibilitychange", () => { if (!document.hidden) tick(); });
  document.addEventListener("htmx:after:swap", tick);
}
