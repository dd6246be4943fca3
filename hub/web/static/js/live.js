// htmx 4.0.1, what this project relies on (read in the package; it differs from 2.x):
//  - events are htmx:phase:action and carry detail.ctx; ctx.request.headers may be changed in htmx:config:request
//  - attributes are inherited only with the suffix ":inherited" (hx-target:inherited="#x"), so the CSRF token goes by event, below
//  - bodies of 4xx answers ARE swapped (a form with its refusal: 409, 422); noSwap keeps 204, 304 and 5xx out, hx-status:422="..." overrides
//  - swap styles innerMorph/outerMorph keep focus, typed text and scroll; [hx-morph-skip] is left alone; morphIgnore are prefixes of attributes
//  - a redirect is followed by fetch: to leave the page answer with HX-Redirect, HX-Refresh or HX-Location
//  - trigger filters click[...], hx-on:* and js: values need eval and are dead under our CSP; polling is [data-live] here, not "every 15s"
//  - configuration stands in <meta name="htmx-config"> of layout.html
import { setServerTime } from "./time.js";
import { toast } from "./toast.js";
import { say } from "./words.js";

const EVERY = 15000, EVERY_WHEN_TOLD = 120000; // told of everything by /live, a page still looks now and then: nothing is believed blindly
const GATHER = 150; // one delivery is several events: they are fetched together
const SIGN_IN = "/sign-in", MINE = "/account";
// A page whose session has ended stays as it is, with what somebody was writing, and asks no more until they have signed in.
let signedOut = false;
const token = () => document.querySelector('meta[name="csrf-token"]')?.content ?? "";

document.addEventListener("htmx:config:request", (event) => {
  const { request } = event.detail.ctx;
  if (new URL(request.action, location.href).origin === location.origin) request.headers["X-CSRF-Token"] = token();
});

function connection(ok) {
  const live = document.querySelector("[data-connection]");
  if (!live || live.classList.contains("bad") === !ok) return;
  live.classList.toggle("bad", !ok);
  live.classList.toggle("ok", ok);
  live.querySelector("span").textContent = say(ok ? "online" : "offline");
}

document.addEventListener("htmx:after:request", (event) => {
  const { response, sourceElement } = event.detail.ctx;
  connection(true);
  setServerTime(response.headers.get("Date"));
  if (response.status === 401) {
    if (!signedOut) toast(say("signedOut"), { state: "bad", action: { text: say("signIn"), run: () => open(SIGN_IN) } });
    signedOut = true;
  } else if (response.status >= 500 && !sourceElement.dataset.live) toast(say("failed"), { state: "bad" });
});

document.addEventListener("htmx:error", (event) => {
  connection(false);
  if (!event.detail.ctx?.sourceElement?.dataset.live) toast(say("offline"), { state: "bad" });
});

// A refused fragment of a live panel must not replace the panel.
document.addEventListener("htmx:before:swap", (event) => {
  const { ctx } = event.detail;
  if (ctx.sourceElement.dataset.live && ctx.response.status >= 400) event.preventDefault();
});

// Nobody loses a draft or a drag to a refresh: such a panel waits for the next turn.
function busy(panel) {
  const at = document.activeElement;
  return panel.matches("[data-dragging]") || panel.querySelector("[data-dragging],dialog[open],details.menu[open]")
    || (panel.contains(at) && at.matches("input,textarea,select"));
}

// A panel of one lead's page names the lead in its address; every other panel may show any lead.
const LEAD = /\/leads\/([0-9a-f-]{36})\b/;
const shows = (panel, leads) => !leads || !LEAD.test(panel.dataset.live) || leads.has(LEAD.exec(panel.dataset.live)[1]);
let told = false, missed = false, gathered = null, timer = 0, looked = Date.now();

function refresh(leads = null) {
  if (signedOut || !globalThis.htmx) return;
  if (document.hidden) { missed = true; return; }
  looked = Date.now();
  for (const panel of document.querySelectorAll("[data-live]")) {
    if (!shows(panel, leads)) continue;
    if (busy(panel)) { missed = true; continue; }
    htmx.ajax("GET", panel.dataset.live, { source: panel, target: panel, swap: "innerMorph" });
  }
}

document.addEventListener("hub-moved", ({ detail }) => {
  if (detail.resync) gathered = null;
  else if (!detail.leads?.length) return;
  else if (!timer || gathered) gathered = new Set([...(gathered ?? []), ...detail.leads]);
  timer ||= setTimeout(() => { timer = 0; refresh(gathered); gathered = null; }, GATHER);
});
document.addEventListener("hub-listening", () => { told = true; });
document.addEventListener("hub-quiet", () => { told = false; });

// Signed in again in another tab: the forms of this page get the new session's token, and the drafts in them can be sent.
async function signedInAgain() {
  const answer = await fetch(MINE);
  if (!answer.ok || answer.redirected) return;
  const fresh = new DOMParser().parseFromString(await answer.text(), "text/html").querySelector('meta[name="csrf-token"]').content;
  document.querySelector('meta[name="csrf-token"]').content = fresh;
  for (const field of document.querySelectorAll('input[name="csrf_token"]')) field.value = fresh;
  signedOut = false;
}

// What was put off while somebody wrote or dragged is fetched at the next turn, what nobody told of in its time.
setInterval(() => {
  if (told && !missed && Date.now() - looked < EVERY_WHEN_TOLD) return;
  missed = false;
  refresh();
}, EVERY);
document.addEventListener("visibilitychange", async () => {
  if (signedOut && !document.hidden) await signedInAgain();
  refresh();
});
document.addEventListener("refresh-live", () => refresh()); // a page, or HX-Trigger: refresh-live, asks for it at once
