// A job's page looks again every second while the job is open: [data-job] holds the address of its state.
const EVERY = 1000;

function look() {
  for (const panel of document.querySelectorAll("[data-job]")) {
    if (document.hidden || panel.querySelector('[data-job-state="ended"]') || !globalThis.htmx) continue;
    htmx.ajax("GET", panel.dataset.job, { source: panel, target: panel, swap: "innerMorph" });
  }
}

setInterval(look, EVERY);
document.addEventListener("visibilitychange", look);
