// The page's own script. Everything hangs on data attributes and on document listeners, so fragments that htmx brings need no wiring:
//   data-due="ISO" (countdown) · data-ago="ISO" (relative time) · data-copy="#id" or data-copy-text="..." · data-dialog="id" · data-close
//   details.menu · data-score (score sheet) · form (double-submit guard; data-many allows repeats) · data-live="URL" (refreshed when something happened)
//   data-row (j/k) · data-key="KeyN" (that key presses it) · data-dismiss (removes its notice) · data-autosubmit · data-toggle="id"
import "./js/live.js";
import "./js/dialogs.js";
import "./js/forms.js";
import "./js/score.js";
import "./js/keys.js";
import { start as ring } from "./js/bell.js";
import { start as listen } from "./js/stream.js";
import { start } from "./js/time.js";
import { toast } from "./js/toast.js";
import { say } from "./js/words.js";

start();
ring();
listen();

async function copy(button) {
  const source = button.dataset.copy && document.querySelector(button.dataset.copy);
  const text = button.dataset.copyText ?? source?.value ?? source?.textContent ?? "";
  try {
    await navigator.clipboard.writeText(text);
    toast(say("copied"));
  } catch { // no https, or refused: select the text so that Ctrl-C works
    if (source) getSelection().selectAllChildren(source);
    toast(say("copyByHand"), { state: "bad" });
  }
}

document.addEventListener("click", (event) => {
  const button = event.target.closest?.("[data-copy],[data-copy-text]");
  if (button) copy(button);
  const dismiss = event.target.closest?.("[data-dismiss]");
  if (dismiss) dismiss.closest(".notice,.toast")?.remove();
  const toggle = event.target.closest?.("[data-toggle]");
  if (toggle) {
    const part = document.getElementById(toggle.dataset.toggle);
    part.hidden = !part.hidden;
    toggle.setAttribute("aria-expanded", String(!part.hidden));
    if (!part.hidden) part.querySelector("input,select,textarea,button")?.focus();
  }
  if (event.target.closest?.("[data-print]")) print();
});

// The printed story is whole: folded parts are opened for paper and folded again afterwards.
let folded = [];
addEventListener("beforeprint", () => {
  folded = [...document.querySelectorAll("details:not(.menu):not([open])")];
  for (const part of folded) part.open = true;
});
addEventListener("afterprint", () => { for (const part of folded) part.open = false; });
