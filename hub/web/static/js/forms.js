// Forms ask no "are you sure": they are undone by a compensating event instead. A second click must not send twice.

const release = (form) => {
  delete form.dataset.sent;
  for (const button of form.querySelectorAll("[aria-busy]")) button.removeAttribute("aria-busy");
};

document.addEventListener("submit", (event) => {
  const form = event.target;
  if (form.method !== "post" || form.dataset.many !== undefined) return;
  if (form.dataset.sent) {
    event.preventDefault();
    event.stopImmediatePropagation();
    return;
  }
  form.dataset.sent = "1";
  delete form.dataset.dirty;
  // aria-busy and not disabled: a disabled button would not send its own name and would lose the focus
  event.submitter?.setAttribute("aria-busy", "true");
}, true);

document.addEventListener("htmx:finally:request", (event) => {
  const form = event.detail.ctx.sourceElement?.closest?.("form");
  if (form) release(form);
});
addEventListener("pageshow", (event) => {
  if (event.persisted) for (const form of document.querySelectorAll("form[data-sent]")) release(form);
});

document.addEventListener("input", (event) => {
  const form = event.target.form;
  if (form?.method === "post") form.dataset.dirty = "1";
});

// Filters: a GET form sends itself when a choice is made.
document.addEventListener("change", (event) => {
  const form = event.target.closest?.("form[data-autosubmit]");
  if (form) form.requestSubmit();
});

// A long form (data-warn) with typed text makes the browser ask before the page is left.
addEventListener("beforeunload", (event) => {
  if (document.querySelector("form[data-warn][data-dirty]:not([data-sent])")) event.preventDefault();
});

// After a refused plain form the first wrong field has the focus.
if (!document.querySelector("dialog[open]")) document.querySelector("main [aria-invalid=true]")?.focus();
