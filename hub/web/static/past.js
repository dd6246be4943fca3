// The past of a card: the slider opens the card as it was at its event, «Почему?» opens in a window. Without this script the
// slider has a button and «Почему?» is a page. The keys [ and ] are js/keys.js's (data-key).

const PLACE = "hub-past-scroll";

document.addEventListener("input", (event) => {
  const slider = event.target.closest?.("[data-slide] input");
  if (!slider) return;
  const said = slider.closest(".history").querySelector("output"), label = slider.dataset.labels.split("|")[slider.value - 1];
  said.querySelector("b").textContent = slider.value;
  said.querySelector("span").textContent = label;
  slider.setAttribute("aria-valuetext", said.textContent.trim());
});

document.addEventListener("change", (event) => {
  const slider = event.target.closest?.("[data-slide] input");
  if (slider) slider.form.requestSubmit();
});

document.addEventListener("click", async (event) => {
  const link = event.target.closest?.("a[data-why]"), dialog = document.getElementById("why");
  if (!link || !dialog || !globalThis.htmx || event.button || event.ctrlKey || event.metaKey || event.shiftKey || event.altKey) return;
  event.preventDefault();
  await htmx.ajax("GET", link.href, { source: link, target: "#why-body", swap: "innerHTML" });
  if (!dialog.open) dialog.showModal();
});

// Stepping through events keeps the place on the page.
const history = document.querySelector(".history");
addEventListener("pagehide", () => { if (history) sessionStorage.setItem(PLACE, `${location.pathname} ${scrollY}`); });
const [path, top] = (sessionStorage.getItem(PLACE) ?? "").split(" ");
if (history && path === location.pathname && document.referrer.startsWith(location.origin + path)) scrollTo(0, Number(top));
