// Short words at the bottom of the screen. #toasts is role=status, so they are read out once.
// A popover, raised again for each toast: it must stand above an open modal dialog.
import { say } from "./words.js";

const STAY = 6000, STAY_WITH_ACTION = 10000;

// state "bad" stays until closed. action: {text, run, key} gives one button (undo), alive for 10 s; its key presses the newest.
export function toast(text, { state = "", action = null } = {}) {
  const box = document.getElementById("toasts");
  if (!box) return;
  const item = document.createElement("div");
  item.className = `toast ${state}`;
  item.append(Object.assign(document.createElement("span"), { textContent: text }));
  const button = document.createElement("button");
  button.type = "button";
  button.textContent = action ? action.text : say("close");
  button.onclick = () => { item.remove(); action?.run(); };
  if (action?.key) {
    box.querySelector(`[data-key="${action.key}"]`)?.closest(".toast").remove();
    button.dataset.key = action.key;
    button.append(" ", Object.assign(document.createElement("kbd"), { textContent: action.key.replace("Key", ""), ariaHidden: "true" }));
  }
  item.append(button);
  if (box.matches(":popover-open")) box.hidePopover();
  box.showPopover?.();
  box.append(item);
  if (state !== "bad") setTimeout(() => item.remove(), action ? STAY_WITH_ACTION : STAY);
}

// The server may say one with the answer: HX-Trigger: {"toast": {"text": "...", "state": "ok", "undo": [leads]}}. The page that can
// undo (board.js) hears "undo-moves".
document.addEventListener("toast", ({ detail }) => {
  const run = () => document.dispatchEvent(new CustomEvent("undo-moves", { detail: detail.undo }));
  toast(detail.text ?? detail.value, { ...detail, action: detail.undo ? { text: say("undo"), key: "KeyZ", run } : null });
});
