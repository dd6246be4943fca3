// The lead card: forms open in a window (without this script they are pages), fields that do not matter hide, the sheet says what a mark means,
// a lost deal shows its day of return. Links with data-act lead to a form; htmx fills #act-body and swaps refusals in place.

import { now } from "./js/time.js";

const body = () => document.getElementById("act-body");

document.addEventListener("click", async (event) => {
  const link = event.target.closest?.("a[data-act]");
  if (!link || !globalThis.htmx || !body() || event.button || event.ctrlKey || event.metaKey || event.shiftKey || event.altKey) return;
  event.preventDefault();
  const dialog = document.getElementById("act");
  body().replaceChildren();
  await htmx.ajax("GET", link.href, { source: link, target: "#act-body", swap: "innerHTML" });
  if (!body().firstElementChild) return;
  if (!dialog.open) dialog.showModal();
  settle();
});

const values = (form, name) => {
  const found = form.elements.namedItem(name);
  return found ? found.value : "";
};

function reveal(form) {
  for (const part of form.querySelectorAll("[data-when]")) {
    const value = values(form, part.dataset.when);
    part.hidden = value !== "" && !part.dataset.values.split(" ").includes(value) && !part.querySelector("[aria-invalid]");
    if (value === "" && part.dataset.when === "reason") part.hidden = true;
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
}

function settle() {
  for (const form of document.querySelectorAll("form[action*='/do/']")) adjust(form);
  const form = body()?.querySelector("form"), title = document.getElementById("act-title");
  if (form?.dataset.title && title) title.textContent = form.dataset.title;
  (body()?.querySelector("[aria-invalid=true]") ?? body()?.querySelector("[autofocus],.form :is(input:not([type=hidden]),select,textarea)"))?.focus();
}

document.addEventListener("change", (event) => { if (event.target.form) adjust(event.target.form); });
document.addEventListener("htmx:after:swap", (event) => { if (event.detail.ctx?.target?.id === "act-body") settle(); });
for (const form of document.querySelectorAll("form[action*='/do/']")) adjust(form);
