// On every page of those who sign in: says what is not sent yet, sends it, and has the own pages kept for times without a signal.
(() => {
  "use strict";
  const badge = document.getElementById("unsent");
  if (!badge || !self.indexedDB || !self.outbox) return;
  const root = document.documentElement;
  const words = badge.dataset;
  const place = (document.querySelector("[data-place]") || { dataset: {} }).dataset.place || "";
  let registration = null;

  const show = async () => {
    let list;
    try { list = await outbox.all(); } catch { badge.querySelector("b").textContent = words.broken; badge.hidden = false; return; }
    const open = list.filter(outbox.unsent);
    const last = await outbox.meta("last");
    const status = last ? last.status : 200;
    const refused = open.filter((r) => r.state === "refused").length;
    const others = open.some((r) => root.dataset.me && r.by !== root.dataset.me);
    badge.hidden = open.length === 0;
    badge.querySelector("b").textContent = words.n.replace("%s", open.length);
    const again = !root.dataset.me || status === 401;
    badge.querySelector("span").textContent = refused ? words.refused.replace("%s", refused) : again ? "" : others ? words.other : !navigator.onLine || status === 0 ? words.wait :
      status === 413 ? words.large : status === 403 ? words.right : status >= 300 ? words.server.replace("%s", status) : "";
    const back = badge.querySelector(".again");
    back.href = "/sign-in?lang=" + root.lang + "&next=" + encodeURIComponent(location.pathname + location.search);
    back.hidden = !again || location.pathname === "/sign-in" || location.pathname.startsWith("/c");
    kept(list);
    mine(open);
    if (open.some((r) => r.state === "queued") && registration && registration.sync) registration.sync.register("outbox").catch(() => {});
  };

  // What was just written, with ten seconds to take it back.
  const bar = document.getElementById("kept");
  const id = (location.hash.match(/^#kept=([0-9A-Z]{26})$/) || [])[1];
  let taken = false;
  let gone = false;
  const kept = (list) => {
    const r = id && bar && list.find((x) => x.id === id);
    if (!r) return;
    const bad = r.state === "refused" || !!r.held;
    bar.hidden = gone && !bad;
    bar.classList.toggle("bad", bad);
    bar.classList.toggle("toast", !bad); // over the page: what else comes and goes does not move it from under the thumb
    bar.querySelector("b").textContent = r.title;
    bar.querySelector("span").textContent = taken || r.state === "dropped" ? bar.dataset.undone : r.held ? bar.dataset.held : bar.dataset[r.state];
  };
  if (id && bar) {
    const button = bar.querySelector("button");
    let left = 10;
    button.hidden = false;
    const count = () => {
      button.querySelector("i").textContent = left;
      if (left-- > 0 && !taken) return;
      clearInterval(clock);
      button.hidden = true;
      setTimeout(() => { gone = true; show(); }, 4000);
    };
    const clock = setInterval(count, 1000);
    count();
    button.addEventListener("click", async () => {
      taken = true;
      button.hidden = true;
      await outbox.undo(id, bar.dataset.reason, root.dataset.me, bar.dataset.undo);
      send();
    });
  }

  // What was written here and is not sent yet, above what the server knows of the place.
  const list = document.getElementById("mine");
  const mine = (open) => {
    if (!list) return;
    const here = open.filter((r) => r.event.place === place && r.by === root.dataset.me);
    list.hidden = here.length === 0;
    list.querySelector("ul").replaceChildren(...here.map((r) => {
      const li = document.createElement("li");
      const b = document.createElement("b");
      b.textContent = r.title;
      li.append(b, " " + (r.text || ""));
      return li;
    }));
    const rules = document.getElementById("maybe");
    if (rules) rules.hidden = !here.some((r) => ["treatment", "pesticide", "fertilizer", "void"].includes(r.event.kind));
  };

  let wait = 4000;
  let timer = 0;
  const send = async () => {
    clearTimeout(timer);
    const out = await outbox.flush().catch(() => null);
    if (out && out !== "busy" && out.left === 0) { wait = 4000; return; }
    if (out === "busy") { timer = setTimeout(send, 1500); return; } // another tab is at it
    timer = setTimeout(send, wait * (0.7 + 0.6 * Math.random()));
    wait = Math.min(wait * 2, 300000);
  };
  const soon = () => { wait = 4000; send(); };

  self.addEventListener("outbox", show);
  if (self.BroadcastChannel) new BroadcastChannel("aovuon").onmessage = show;
  self.addEventListener("online", soon);
  self.addEventListener("offline", show);
  document.addEventListener("visibilitychange", () => { if (!document.hidden) soon(); });
  show();
  if (navigator.onLine) send(); else timer = setTimeout(send, wait);

  // Days until a gate opens, counted on the phone: the page may be of another day.
  for (const at of document.querySelectorAll("time[data-until]")) {
    const days = Math.ceil((Date.parse(at.dataset.until + "T00:00:00+07:00") - Date.now()) / 86400000);
    if (days > 0) at.textContent = at.dataset.left.replace("%s", days);
  }

  if (!navigator.serviceWorker) return;
  navigator.serviceWorker.register("/sw.js").catch(() => {});
  navigator.serviceWorker.ready.then((r) => {
    registration = r;
    if (root.dataset.me) r.active.postMessage({ warm: "?lang=" + root.lang + "&place=" + place });
  });
  navigator.serviceWorker.addEventListener("message", (event) => { if (event.data && event.data.kept) root.dataset.kept = event.data.kept; });
})();
