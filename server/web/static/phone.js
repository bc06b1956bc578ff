// The page of what is on this phone: entries that wait, that were refused, that were put aside.
(() => {
  "use strict";
  const $ = (id) => document.getElementById(id);
  const words = $("words").dataset;
  const word = (key) => { const at = document.querySelector(`#words [data-key="${key}"]`); return at ? at.textContent : ""; };
  const me = document.documentElement.dataset.me || "";
  if (!self.outbox || !self.indexedDB) { $("none").textContent = words.broken; return; }
  const day = (at) => new Date(Date.parse(at) + 7 * 3600000).toISOString().replace(/^(\d+)-(\d+)-(\d+)T(\d+:\d+).*/, "$3/$2/$1 $4");
  const node = (tag, text, cls) => { const e = document.createElement(tag); e.textContent = text; if (cls) e.className = cls; return e; };
  const asked = new Set();

  const why = (r) => {
    if (r.state === "refused") {
      return [word("problem.diary." + r.code) || word("problem.diary.fields")].concat((r.problems || []).map((p) =>
        (word("field." + p.key) || p.key) + ": " + word("problem.form." + p.code).replace("%s", p.bound) + (p.given ? " (" + p.given + ")" : "")));
    }
    if (r.state !== "queued") return [];
    if (r.v > outbox.FORMAT) return [words.newer];
    if (me && r.by !== me) return [words.other];
    return [r.status === undefined ? words.waiting : r.status === 0 ? words.nosignal : r.status === 401 ? words.signin : r.status === 413 ? words.large : r.status === 403 ? words.right :
      r.status === 409 ? words.other : r.status === 415 || r.status === 422 ? words.media : words.server.replace("%s", r.status)];
  };
  const aside = (r) => outbox.change(r.id, (now) => (now.state === "sent" ? null : { ...now, state: "dropped", dropped: new Date().toISOString() }));
  const button = (text, cls, act) => { const b = node("button", text, cls); b.type = "button"; b.addEventListener("click", act); return b; };

  const line = (r) => {
    const li = node("li", "");
    li.append(node("b", r.title || r.event.kind), node("small", day(r.event.occurred) + (r.by === me || !me ? " · " + (r.text || r.event.note || "") : "")));
    for (const text of why(r)) li.append(node("p", text, r.state === "refused" ? "why" : "sub"));
    if (r.held) li.append(node("p", words.held, "why"));
    if (r.by !== me && me) return li;
    if (r.state === "refused" && r.form) { const a = node("a", words.mend, "button"); a.href = r.form + "#mend=" + r.id; li.append(a); }
    if (r.state === "queued" && [413, 415, 422].includes(r.status) && (r.media || []).length) {
      li.append(button(words.without, "quiet", () => outbox.change(r.id, (now) => ({ ...now, media: [], status: undefined })).then(outbox.flush)));
    }
    if (outbox.unsent(r)) {
      li.append(asked.has(r.id) ? button(words.sure, "grave", () => aside(r)) : button(words.drop, "quiet", () => { asked.add(r.id); show(); }));
    }
    return li;
  };

  const show = async () => {
    const list = await outbox.all().catch(() => { $("none").textContent = words.broken; $("none").hidden = false; return []; });
    for (const state of ["refused", "queued", "sent", "dropped"]) {
      const some = list.filter((r) => r.state === state).reverse();
      $(state).hidden = some.length === 0;
      $(state).querySelector("ul").replaceChildren(...some.map(line));
    }
    $("none").hidden = list.some(outbox.unsent);
    $("now").hidden = !list.some((r) => r.state === "queued");
  };
  self.addEventListener("outbox", show);
  if (self.BroadcastChannel) new BroadcastChannel("aovuon").onmessage = show;
  $("now").addEventListener("click", () => outbox.flush().then(show));
  show();

  const lasting = async () => {
    if (!navigator.storage || !navigator.storage.persisted) { $("lasting").textContent = words.unknown; return; }
    const yes = await navigator.storage.persisted();
    $("lasting").textContent = yes ? words.lasting : words.fleeting;
    $("persist").hidden = yes;
  };
  $("persist").addEventListener("click", () => navigator.storage.persist().then(lasting));
  lasting();
  const kept = async () => {
    if (!self.caches) return;
    const name = (await caches.keys()).find((n) => n.startsWith("mine-"));
    const res = name && await (await caches.open(name)).match("/api/me/farm");
    if (!res) return;
    const farm = await res.json();
    $("kept-pages").textContent = words.pages.replace("%s", Object.keys(farm.pages).length).replace("%s", day(farm.as_of));
  };
  kept();
  if (navigator.serviceWorker) navigator.serviceWorker.addEventListener("message", kept);
  self.addEventListener("beforeinstallprompt", (event) => {
    event.preventDefault();
    $("install").hidden = false;
    $("install").addEventListener("click", () => { event.prompt(); $("install").hidden = true; });
  });
})();
