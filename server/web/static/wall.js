// Keeps the screen on the wall going for months: asks for the next part again and again, says in large letters since when the server is lost, and
// never leaves the page for one that the browser cannot draw. Without this script the page reloads itself.
(() => {
  "use strict";
  const wall = document.getElementById("wall");
  const lost = document.getElementById("wall-lost");
  const every = 1000 * Number(wall.dataset.every);
  const RENEW = 6 * 3600 * 1000; // the whole page, so that nothing gathers
  const began = Date.now();
  let since = null;
  const clock = (t) => t.toLocaleTimeString("vi-VN", { hour: "2-digit", minute: "2-digit", hour12: false });
  const say = (text) => {
    lost.textContent = text;
    lost.hidden = !text;
    document.body.classList.toggle("stale", !!text);
  };
  const next = async () => {
    try {
      const page = await fetch(location.href, { cache: "no-store", redirect: "manual", signal: AbortSignal.timeout(15000) });
      if (page.type === "opaqueredirect" || page.status === 401 || page.status === 403) { say(lost.dataset.out); return; }
      if (!page.ok) throw new Error(String(page.status));
      const got = new DOMParser().parseFromString(await page.text(), "text/html").getElementById("wall");
      if (!got) throw new Error("no wall");
      since = null;
      say("");
      if (got.dataset.build !== wall.dataset.build || Date.now() - began > RENEW) { location.reload(); return; }
      wall.replaceChildren(...got.childNodes);
    } catch {
      since = since || new Date();
      say(lost.dataset.lost.replace("%s", clock(since)));
    }
  };
  const loop = async () => { await next(); setTimeout(loop, every); };
  setTimeout(loop, every);
  const awake = async () => { try { await navigator.wakeLock.request("screen"); } catch { /* the screen's own settings decide */ } };
  if (navigator.wakeLock) { awake(); document.addEventListener("visibilitychange", () => { if (document.visibilityState === "visible") awake(); }); }
})();
