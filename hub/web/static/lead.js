// The lead card. Links with data-act open a form in a window (without this script they are pages), data-inline one in its place; the
// composer keeps drafts in this browser and sends by Ctrl-Enter; a page that one came to from a list knows its neighbours there.
import { now } from "./js/time.js";

const body = () => document.getElementById("act-body");
const plain = (event) => !event.button && !event.ctrlKey && !event.metaKey && !event.shiftKey && !event.altKey;

// ── windows and places ──────────────────────────────────────────────────────────

document.addEventListener("click", async (event) => {
  const link = event.target.closest?.("a[data-act]");
  if (!link || !globalThis.htmx || !body() || !plain(event)) return;
  event.preventDefault();
  const dialog = document.getElementById("act");
  body().replaceChildren();
  await htmx.ajax("GET", link.href, { source: link, target: "#act-body", swap: "innerHTML" });
  if (!body().firstElementChild) return;
  if (!dialog.open) dialog.showModal();
  settle();
});

document.addEventListener("click", async (event) => {
  const link = event.target.closest?.("a[data-inline]");
  if (!link || !globalThis.htmx || !plain(event)) return;
  event.preventDefault();
  const place = document.getElementById(link.dataset.inline);
  await htmx.ajax("GET", link.href, { source: document.body, target: place, swap: "innerHTML" });
  place.querySelector("input:not([type=hidden])")?.focus();
});

const look = () => document.dispatchEvent(new Event("refresh-live"));

// A form in its place is not swept away by a refresh; once it is gone, the panel is fetched again.
document.addEventListener("htmx:before:swap", (event) => {
  const panel = event.detail.ctx.sourceElement;
  if (panel?.dataset?.live && panel.querySelector("[data-editing]")) event.preventDefault();
});
function leaveForm(form) {
  const id = form.closest("li")?.id;
  form.remove();
  document.addEventListener("htmx:after:swap", () => document.querySelector(`[data-inline="${id}"]`)?.focus(), { once: true });
}
document.addEventListener("click", (event) => {
  const cancel = event.target.closest?.("[data-editing] [data-cancel]");
  if (!cancel) return;
  event.preventDefault();
  leaveForm(cancel.closest("form"));
  look();
});
document.addEventListener("keydown", (event) => {
  const form = event.target.closest?.("[data-editing]");
  if (form && event.code === "Escape") { leaveForm(form); look(); }
});
document.addEventListener("edited", () => {
  for (const form of document.querySelectorAll("[data-editing]")) leaveForm(form);
  look();
});
document.addEventListener("act-done", () => document.getElementById("act")?.close());

// A tick of a checklist stays on the page.
document.addEventListener("submit", (event) => {
  const form = event.target;
  if (form.dataset.ticks === undefined || !globalThis.htmx || !event.submitter) return;
  event.preventDefault();
  const values = { ...Object.fromEntries(new FormData(form)), stay: "1" };
  htmx.ajax("POST", event.submitter.getAttribute("formaction"), { source: form, target: form, swap: "none", values });
});

// ── forms ───────────────────────────────────────────────────────────────────────

const values = (form, name) => form.elements.namedItem(name)?.value ?? "";

function reveal(form) {
  for (const part of form.querySelectorAll("[data-when][data-values]")) {
    const value = values(form, part.dataset.when);
    part.hidden = !part.dataset.values.split(" ").includes(value) && !part.querySelector("[aria-invalid]");
  }
}

function returns(form) {
  const shown = form.querySelector("[data-return-shown]");
  const shares = Object.fromEntries((form.dataset.returns ?? "").trim().split(" ").map((text) => text.split(":")));
  const share = Number(shares[values(form, "closeness")]), until = values(form, "competitor_until");
  if (!shown || !share || !until || values(form, "return_on")) return;
  const today = new Date(new Date(now()).toDateString()), days = Math.round((new Date(`${until}T00:00`) - today) / 864e5);
  if (days < 1) return;
  today.setDate(today.getDate() + Math.max(1, Math.round(days * share)));
  shown.dataset.text ??= shown.textContent;
  shown.textContent = `${shown.dataset.label ?? ""} ${today.toLocaleDateString(document.documentElement.lang, { day: "numeric", month: "long", year: "numeric" })}`.trim();
}

function meanings(form) {
  for (const line of form.querySelectorAll("[data-meanings]")) {
    const mark = form.querySelector(`input[name="${line.dataset.meanings}"]:checked`)?.value;
    for (const part of line.children) part.classList.toggle("on", part.dataset.mark === mark);
  }
}

function adjust(form) {
  reveal(form);
  if (form.dataset.returns !== undefined) returns(form);
  if (form.dataset.score !== undefined) meanings(form);
  for (const quick of form.querySelectorAll("[data-quick]")) quick.hidden = false;
}

const forms = () => document.querySelectorAll("form[action*='/do/'],form[action*='/compose/'],form[action$='/next']");

function settle() {
  for (const form of forms()) adjust(form);
  const form = body()?.querySelector("form"), title = document.getElementById("act-title");
  if (form?.dataset.title && title) title.textContent = form.dataset.title;
  (body()?.querySelector("[aria-invalid=true]") ?? body()?.querySelector("[autofocus],.form :is(input:not([type=hidden]),select,textarea)"))?.focus();
}

document.addEventListener("click", (event) => {
  const chip = event.target.closest?.("[data-quick] [data-at]");
  const field = chip && document.getElementById(chip.parentElement.dataset.quick);
  if (!field) return;
  field.value = chip.dataset.at;
  field.dispatchEvent(new Event("input", { bubbles: true }));
});
document.addEventListener("change", (event) => { if (event.target.form) adjust(event.target.form); });
document.addEventListener("htmx:after:swap", (event) => {
  const target = event.detail.ctx?.target;
  if (target?.id === "act-body") settle();
  if (target?.closest?.("[data-compose]")) ready(target.querySelector("form"), target.querySelector("[aria-invalid=true],.notice.bad"));
});
document.addEventListener("keydown", (event) => {
  if (event.key !== "Enter" || !(event.ctrlKey || event.metaKey) || event.altKey) return;
  const form = event.target.form;
  if (form?.method !== "post" || !form.closest("[data-compose],#act,[data-editing]")) return;
  event.preventDefault();
  form.requestSubmit(form.querySelector(".actions button:not([type=button])"));
});

// ── the composer ────────────────────────────────────────────────────────────────

const KEEP = 14 * 864e5; // a draft that nobody came back to in so many milliseconds is forgotten
const composer = document.querySelector("[data-compose]");
const key = (form) => `draft.${composer.dataset.compose}.${form.dataset.draft}`;
const skipped = new Set(["csrf_token", "seen"]);

const typed = (form) => [...form.elements].filter((one) => one.name && !skipped.has(one.name) && !["file", "submit", "button"].includes(one.type));
const changed = (one) => (one.type === "checkbox" || one.type === "radio" ? one.checked !== one.defaultChecked
  : one.tagName === "SELECT" ? ![...one.options].every((o) => o.selected === o.defaultSelected || ![...one.options].some((p) => p.defaultSelected) && o.index === one.selectedIndex && !one.selectedIndex)
    : one.value !== one.defaultValue);

function keep(form) {
  const fields = typed(form);
  const kept = form.querySelector("[data-kept]");
  const worth = fields.some(changed);
  try {
    if (worth) {
      const values = fields.filter((one) => !["checkbox", "radio"].includes(one.type) || one.checked).map((one) => [one.name, one.value]);
      localStorage.setItem(key(form), JSON.stringify({ at: Date.now(), values }));
    } else localStorage.removeItem(key(form));
  } catch { return; } // no room, or not allowed: the page still holds what is typed
  if (kept) kept.hidden = !worth;
  mark(form, worth);
}

function mark(form, there) {
  document.getElementById(`tab-${form.dataset.draft}`)?.classList.toggle("kept", there);
}

function restore(form) {
  let found = null;
  try { found = JSON.parse(localStorage.getItem(key(form))); } catch { return; }
  if (!Array.isArray(found?.values)) return;
  const left = [...found.values];
  for (const one of typed(form)) {
    const at = left.findIndex(([name, value]) => name === one.name && (!["checkbox", "radio"].includes(one.type) || value === one.value));
    if (one.type === "checkbox" || one.type === "radio") one.checked = at >= 0;
    else if (at >= 0 && (one.tagName !== "SELECT" || [...one.options].some((o) => o.value === left[at][1]))) one.value = left[at][1];
    if (at >= 0) left.splice(at, 1);
  }
  form.querySelector("[data-kept]").hidden = false;
  mark(form, true);
  for (const part of form.querySelectorAll("details")) part.open ||= [...part.querySelectorAll("input,select,textarea")].some(changed);
}

function ready(form, refused) {
  if (!form) return;
  if (!refused && !form.querySelector("[name=seen]")) restore(form);
  adjust(form);
  (form.querySelector("[aria-invalid=true]") ?? (refused ? form.querySelector("textarea") : null))?.focus();
}

function choose(tab, focus = true) {
  for (const one of composer.querySelectorAll("[role=tab]")) {
    const on = one === tab;
    one.setAttribute("aria-selected", String(on));
    one.tabIndex = on ? 0 : -1;
    document.getElementById(one.getAttribute("aria-controls")).hidden = !on;
  }
  if (!focus) return;
  const form = document.querySelector(`#${tab.getAttribute("aria-controls")} form`);
  (form.elements.namedItem(form.dataset.main) ?? form.elements[0]).focus();
}

function begin() {
  try {
    for (const name of Object.keys(localStorage)) {
      if (name.startsWith("draft.") && !(Date.now() - JSON.parse(localStorage.getItem(name)).at < KEEP)) localStorage.removeItem(name);
    }
  } catch { /* drafts of another shape, or no storage at all */ }
  for (const form of composer.querySelectorAll("form")) ready(form, form.querySelector("[aria-invalid=true],.notice.bad"));
  composer.addEventListener("click", (event) => {
    const tab = event.target.closest("[role=tab]");
    if (tab && plain(event)) {
      event.preventDefault();
      choose(tab);
    }
    const forget = event.target.closest("[data-forget]");
    if (forget) {
      forget.form.reset();
      keep(forget.form);
      adjust(forget.form);
    }
  });
  composer.addEventListener("keydown", (event) => {
    const tabs = [...composer.querySelectorAll("[role=tab]")], at = tabs.indexOf(event.target);
    const to = { ArrowRight: at + 1, ArrowLeft: at - 1, Home: 0, End: tabs.length - 1 }[event.key];
    if (at < 0 || to === undefined) return;
    event.preventDefault();
    const next = tabs[(to + tabs.length) % tabs.length];
    choose(next, false);
    next.focus();
  });
  composer.addEventListener("input", (event) => { if (event.target.form) keep(event.target.form); });
  composer.addEventListener("change", (event) => { if (event.target.form) keep(event.target.form); });
}
if (composer) begin();

document.addEventListener("composed", async (event) => {
  const panel = document.getElementById(`compose-${event.detail.tab}`), form = panel.querySelector("form");
  localStorage.removeItem(key(form));
  mark(form, false);
  await htmx.ajax("GET", form.action, { source: panel, target: panel, swap: "innerHTML" });
});
document.addEventListener("click", (event) => {
  if (!event.target.closest?.("[data-write]") || !composer) return;
  event.preventDefault();
  composer.scrollIntoView({ block: "start" });
  choose(composer.querySelector("[aria-selected=true]"));
});
// Whoever signs out leaves no draft to the next one at this machine.
document.addEventListener("submit", (event) => {
  if (event.target.getAttribute("action") !== "/sign-out") return;
  for (const name of Object.keys(localStorage)) if (name.startsWith("draft.")) localStorage.removeItem(name);
});

// ── where one came from ─────────────────────────────────────────────────────────

const around = document.querySelector("[data-around]");
const LISTS = ["/", "/leads"], TRAIL = "lead.trail";

async function neighbours() {
  try {
    const from = document.referrer && new URL(document.referrer);
    if (from && from.origin === location.origin && LISTS.includes(from.pathname)) sessionStorage.setItem(TRAIL, from.pathname + from.search);
    const trail = sessionStorage.getItem(TRAIL);
    if (trail && !trail.includes("at=")) await htmx.ajax("GET", `${around.dataset.around}?from=${encodeURIComponent(trail)}`, { source: around, target: around, swap: "innerHTML" });
  } catch { /* no storage: the card has no neighbours */ }
}
if (around) addEventListener("load", neighbours, { once: true }); // htmx is deferred as this module is: it is there by now

for (const form of forms()) adjust(form);
