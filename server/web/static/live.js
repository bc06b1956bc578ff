// Keeps a page true without reloading: the server sends the new inside of those parts that changed. Without this script the
// page reloads itself. If nothing is heard for a minute, the page says that it may be old.
(() => {
  "use strict";
  const from = document.body.dataset.live;
  if (!from || !window.EventSource) return;
  const lost = document.getElementById("live-lost");
  let watchdog;
  const alive = () => {
    lost.hidden = true;
    clearTimeout(watchdog);
    watchdog = setTimeout(() => { lost.hidden = false; }, 60000);
  };
  const source = new EventSource(from);
  source.addEventListener("alive", alive);
  source.addEventListener("error", () => { lost.hidden = false; });
  source.addEventListener("part", (event) => {
    const part = JSON.parse(event.data);
    const at = document.getElementById(part.id);
    if (!at) return;
    const focused = at.contains(document.activeElement) && document.activeElement.getAttribute("href");
    at.innerHTML = part.html;
    if (focused) {
      const link = [...at.querySelectorAll("a")].find((a) => a.getAttribute("href") === focused);
      if (link) link.focus({ preventScroll: true });
    }
  });
  window.addEventListener("pagehide", () => source.close());
})();
