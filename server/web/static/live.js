// Keeps a page true without reloading: the server sends the new inside of those parts that changed. Without this script the
// page reloads itself. If nothing is heard for a minute, the page says that it may be old, and goes on trying for as long as it is open: a browser
// alone gives up for good when a server answers with an error, as it does while it starts.
(() => {
  "use strict";
  const from = document.body.dataset.live;
  if (!from || !window.EventSource) return;
  const lost = document.getElementById("live-lost");
  const SILENT = 60000;
  let source, watchdog, again, wait = 1000, heard = 0, have = "";
  const alive = () => {
    heard = Date.now();
    wait = 1000;
    lost.hidden = true;
    clearTimeout(watchdog);
    watchdog = setTimeout(() => { lost.hidden = false; connect(); }, SILENT);
  };
  const show = (event) => {
    const part = JSON.parse(event.data);
    const at = document.getElementById(part.id);
    if (!at) return;
    const focused = at.contains(document.activeElement) && document.activeElement.getAttribute("href");
    at.innerHTML = part.html;
    if (focused) {
      const link = [...at.querySelectorAll("a")].find((a) => a.getAttribute("href") === focused);
      if (link) link.focus({ preventScroll: true });
    }
  };
  // Whoever is signed out meanwhile is led to where one signs in; everything else is tried again, ever more slowly.
  const retry = async () => {
    clearTimeout(again);
    again = setTimeout(connect, wait);
    wait = Math.min(wait * 2, 30000);
    const page = await fetch(location.href, { method: "HEAD", redirect: "manual", cache: "no-store" }).catch(() => null);
    if (page && page.type === "opaqueredirect") location.reload();
  };
  const connect = () => {
    clearTimeout(again);
    if (source) source.close();
    const at = new URL(from, location.href);
    if (have) at.searchParams.set("have", have);
    source = new EventSource(at);
    source.addEventListener("alive", alive);
    source.addEventListener("all", (event) => { have = event.lastEventId; });
    source.addEventListener("part", show);
    source.addEventListener("error", () => {
      lost.hidden = false;
      if (source.readyState === EventSource.CLOSED) retry();
    });
  };
  connect();
  // A phone that was asleep does not wait for the watchdog.
  const awake = () => { if (document.visibilityState === "visible" && heard && Date.now() - heard > SILENT / 2) connect(); };
  document.addEventListener("visibilitychange", awake);
  window.addEventListener("online", () => { if (!lost.hidden) connect(); });
  window.addEventListener("pageshow", (event) => { if (event.persisted) connect(); });
  window.addEventListener("pagehide", () => { clearTimeout(again); clearTimeout(watchdog); source.close(); });
})();
