// The palette: Ctrl-K or / anywhere. Its options come drawn from the server; arrows choose, Enter opens, Esc closes.
// Without an option chosen Enter leads to the page of the search, as the form does without this script.
const WAIT = 120;
const palette = document.getElementById("palette");
const input = palette?.querySelector("input[name=q]");
const list = palette?.querySelector(".found");
const card = location.pathname.match(/^\/leads\/([0-9a-f-]{36})/)?.[1] ?? "";
let timer, asked, shown = null;

const options = () => [...list.querySelectorAll("[role=option]")];
const chosen = () => list.querySelector("[aria-selected=true]");

function choose(option) {
  chosen()?.setAttribute("aria-selected", "false");
  option?.setAttribute("aria-selected", "true");
  option?.scrollIntoView({ block: "nearest" });
  if (option) input.setAttribute("aria-activedescendant", option.id);
  else input.removeAttribute("aria-activedescendant");
}

async function ask() {
  const words = input.value.trim();
  if (words === shown) return;
  asked?.abort();
  asked = new AbortController();
  try {
    const query = new URLSearchParams({ q: words, lead: card });
    const answer = await fetch(`/search/palette?${query}`, { signal: asked.signal, headers: { "HX-Request": "true" } });
    if (!answer.ok) throw new Error(String(answer.status));
    list.innerHTML = await answer.text();
    shown = words;
    choose(words ? options()[0] : null);
    palette.querySelector("[role=status]").textContent = options().length;
  } catch (error) {
    if (error.name !== "AbortError") { // the page of the search still answers, with its own words for what is wrong
      list.replaceChildren();
      shown = null;
    }
  }
}

// Its sheet comes once the page stands still, or when it is opened before that: no page waits for it.
function sheet() {
  const address = palette.dataset.sheet;
  if ([...document.styleSheets].some((one) => one.href?.endsWith(address)) || document.querySelector("link[data-palette]")) return;
  const link = Object.assign(document.createElement("link"), { rel: "stylesheet", href: address });
  link.dataset.palette = "";
  document.head.append(link);
}

if (palette) (globalThis.requestIdleCallback ?? setTimeout)(sheet);

export function openPalette() {
  if (!palette) return;
  sheet();
  if (!palette.open) palette.showModal();
  input.select();
  ask();
}

palette?.addEventListener("input", () => {
  clearTimeout(timer);
  timer = setTimeout(ask, WAIT);
});

palette?.addEventListener("keydown", async (event) => {
  const all = options();
  const at = all.indexOf(chosen());
  const go = { ArrowDown: at + 1, ArrowUp: at < 0 ? all.length - 1 : at - 1, PageDown: Math.min(at + 8, all.length - 1), PageUp: Math.max(at - 8, 0) }[event.key];
  if (go !== undefined && all.length) {
    choose(all[(go + all.length) % all.length]);
    event.preventDefault();
  } else if (event.key === "Enter" && !event.isComposing) {
    event.preventDefault();
    clearTimeout(timer);
    await ask(); // what was typed last is what Enter is about
    const option = chosen();
    if (option && event.ctrlKey) open(option.href);
    else if (option) location.assign(option.href);
    else input.form.requestSubmit();
  }
});
