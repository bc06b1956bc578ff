// The outbox: what was written on this phone and is not with the server yet. Pages and the service worker share this file. What lies in it
// is written down in OUTBOX.md; nothing leaves it but by the server's word, or a person's.
(() => {
  "use strict";
  const FORMAT = 2;
  const BATCH = 50;
  const tell = self.BroadcastChannel ? new BroadcastChannel("aovuon") : null;
  let opening = null;

  // Version 1 kept photos within the entry; since version 2 they lie beside it.
  const upgrade = (db, tx, from) => {
    if (from < 1) db.createObjectStore("entries", { keyPath: "id" });
    if (from < 2) {
      db.createObjectStore("media", { keyPath: "sha256" });
      db.createObjectStore("meta", { keyPath: "key" });
      tx.objectStore("entries").openCursor().onsuccess = (event) => {
        const at = event.target.result;
        if (!at) return;
        if (at.value.v === 1) {
          for (const m of at.value.media || []) tx.objectStore("media").put(m);
          at.update(modern(at.value));
        }
        at.continue();
      };
    }
  };
  const modern = (r) => (r.v !== 1 ? r : {
    ...r, v: 2, state: r.state || "queued", tries: 0, media: (r.media || []).map(({ sha256, type }) => ({ sha256, type })),
  });

  const open = () => opening || (opening = new Promise((resolve, reject) => {
    const asked = indexedDB.open("aovuon", FORMAT);
    asked.onupgradeneeded = (event) => upgrade(asked.result, asked.transaction, event.oldVersion);
    asked.onerror = () => { opening = null; reject(asked.error); };
    asked.onsuccess = () => {
      const db = asked.result;
      db.onversionchange = () => { db.close(); opening = null; }; // a newer page wants it
      db.onclose = () => { opening = null; };
      resolve(db);
    };
  }));

  // Runs f in one transaction; the promise gives f's result once it is on disk.
  const tx = async (mode, f) => {
    const db = await open();
    return new Promise((resolve, reject) => {
      const t = db.transaction(["entries", "media", "meta"], mode, { durability: "strict" });
      let out;
      t.oncomplete = () => resolve(out instanceof IDBRequest ? out.result : out);
      t.onabort = () => reject(t.error || new Error("aborted"));
      out = f((name) => t.objectStore(name), t);
    });
  };
  const changed = () => {
    if (tell) tell.postMessage("changed");
    if (self.document) self.dispatchEvent(new Event("outbox"));
  };

  const all = async () => (await tx("readonly", (s) => s("entries").getAll()) || []).map(modern);
  const get = async (id) => { const r = await tx("readonly", (s) => s("entries").get(id)); return r ? modern(r) : null; };
  const unsent = (r) => r.state === "queued" || r.state === "refused";

  // A ULID: 48 bits of time, 80 of chance.
  const ulid = (at = Date.now()) => {
    const digits = "0123456789ABCDEFGHJKMNPQRSTVWXYZ";
    let time = "";
    for (let n = Math.max(0, at), i = 0; i < 10; i++) { time = digits[n % 32] + time; n = Math.floor(n / 32); }
    return time + [...crypto.getRandomValues(new Uint8Array(16))].map((b) => digits[b & 31]).join("");
  };

  // Keeps a new entry, with its media as [{sha256, type, blob}].
  const add = async (record, media = []) => {
    await tx("readwrite", (s) => {
      for (const m of media) s("media").put(m);
      s("entries").add({ v: FORMAT, state: "queued", tries: 0, ...record, media: (record.media || []).concat(media.map(({ sha256, type }) => ({ sha256, type }))) });
    });
    changed();
  };

  // Changes an entry; f returns what it becomes, or null: it stays.
  const change = async (id, f) => {
    await tx("readwrite", (s) => {
      s("entries").get(id).onsuccess = (event) => {
        const now = event.target.result && f(modern(event.target.result));
        if (now) s("entries").put(now);
      };
    });
    changed();
  };

  // Takes an entry back. One that never left the phone is put aside here; for any other the server is told, by an entry of its own.
  const undo = async (id, reason, by, title) => {
    const at = new Date().toISOString();
    await tx("readwrite", (s) => {
      s("entries").get(id).onsuccess = (event) => {
        const r = event.target.result;
        if (r && r.state !== "queued" && r.state !== "sent") return;
        if (r && r.state === "queued" && r.tries === 0) { s("entries").put({ ...modern(r), state: "dropped", dropped: at }); return; }
        const e = r ? r.event : null;
        if (!e) return;
        s("entries").add({ v: FORMAT, id: ulid(), by, state: "queued", tries: 0, title, media: [], event: {
          kind: "void", place: e.place, cycle: e.cycle, values: { reason }, corrects: id, occurred: at, recorded: at } });
      };
    });
    changed();
  };

  // One sender at a time, over all tabs and the worker.
  const alone = async (f) => {
    if (navigator.locks) return navigator.locks.request("aovuon-outbox", { ifAvailable: true }, (lock) => (lock ? f() : "busy"));
    const mine = ulid();
    const take = () => tx("readwrite", (s) => {
      const got = { it: false };
      s("meta").get("lease").onsuccess = (event) => {
        const held = event.target.result;
        const age = held ? Date.now() - held.at : Infinity;
        if (held && held.who !== mine && age >= 0 && age < 9000) return;
        s("meta").put({ key: "lease", who: mine, at: Date.now() });
        got.it = true;
      };
      return got;
    });
    if (!(await take()).it) return "busy";
    const beat = setInterval(take, 2000); // a page that is left stops, and the next one takes over
    try { return await f(); } finally { clearInterval(beat); await tx("readwrite", (s) => { s("meta").delete("lease"); }); }
  };

  const call = (url, init, seconds) => {
    const stop = new AbortController();
    const timer = setTimeout(() => stop.abort(), seconds * 1000);
    return fetch(url, { ...init, credentials: "same-origin", redirect: "error", signal: stop.signal })
      .then(async (res) => ({ status: res.status, body: await res.json().catch(() => null) }))
      .catch((err) => ({ status: 0, body: null, err: String(err) }))
      .finally(() => clearTimeout(timer));
  };

  // Sends what media an entry has that the server was not sent; gives the status that stopped it, or 200.
  const sendMedia = async (r) => {
    for (const m of r.media || []) {
      const kept = await tx("readonly", (s) => s("media").get(m.sha256));
      if (!kept || !kept.blob || kept.sent) continue;
      const res = await call("/api/media/" + m.sha256, { method: "PUT", body: kept.blob, headers: { "Content-Type": m.type, "X-As": r.by } }, 180);
      if (res.status < 200 || res.status > 299) return res.status;
      await tx("readwrite", (s) => { s("media").put({ ...kept, sent: true }); });
    }
    return 200;
  };

  // Writes down what became of entries that were sent.
  const settle = (outcomes, at) => tx("readwrite", (s) => {
    const e = s("entries");
    for (const o of outcomes) {
      e.get(o.id).onsuccess = (event) => {
        const r = event.target.result;
        if (!r) return;
        if (o.state !== "refused") {
          e.put({ ...r, state: "sent", told: at, lot: o.lot, held: o.held });
          if (r.mends) e.delete(r.mends); // the refused one is closed now that the mended one is kept, not before
          return;
        }
        const refused = { ...r, state: "refused", code: o.code || "", problems: o.problems || [], told: at };
        e.put(refused);
        if (r.event.kind !== "void") return;
        e.get(r.event.corrects).onsuccess = ({ target: { result: old } }) => { // what was taken back was refused itself: neither is wanted
          if (!old || old.state !== "refused") return;
          e.put({ ...old, state: "dropped", dropped: at });
          e.put({ ...refused, state: "dropped", dropped: at });
        };
      };
    }
  });
  const stay = (list, status, at) => tx("readwrite", (s) => {
    for (const one of list) {
      s("entries").get(one.id).onsuccess = (event) => {
        if (event.target.result) s("entries").put({ ...event.target.result, status, told: at });
      };
    }
  });

  // Sends a list of one writer; gives the status that stopped it, or 200.
  const sendList = async (list) => {
    const ready = [];
    let stopped = 200;
    for (const r of list) {
      const status = await sendMedia(r);
      if (status === 200) { ready.push(r); continue; }
      await stay([r], status, new Date().toISOString());
      stopped = status;
      if (status === 0 || status === 401 || status >= 500) break;
    }
    if (ready.length === 0) return stopped;
    await tx("readwrite", (s) => {
      for (const r of ready) {
        s("entries").get(r.id).onsuccess = (event) => { if (event.target.result) s("entries").put({ ...event.target.result, tries: event.target.result.tries + 1 }); };
      }
    });
    const now = await Promise.all(ready.map((r) => get(r.id)));
    const going = now.filter((r) => r && r.state === "queued"); // not one that was taken back meanwhile
    if (going.length === 0) return stopped;
    const sentAt = new Date().toISOString();
    const res = await call("/api/diary", {
      method: "POST", headers: { "Content-Type": "application/json", "X-As": going[0].by },
      body: JSON.stringify(going.map((r) => ({ ...r.event, id: r.id, media: r.media.length ? r.media : undefined, sent_at: sentAt }))),
    }, 30);
    const outcomes = res.status === 200 && res.body && Array.isArray(res.body.outcomes) ? res.body.outcomes.filter((o) => going.some((r) => r.id === o.id)) : null;
    if (outcomes) {
      await settle(outcomes, new Date().toISOString());
      const left = going.filter((r) => !outcomes.some((o) => o.id === r.id));
      if (left.length) await stay(left, 200, sentAt);
      return left.length ? 502 : stopped;
    }
    if (going.length > 1 && res.status >= 400 && res.status < 500 && ![401, 403, 409, 429].includes(res.status)) { // one of them may be to blame
      const half = going.length >> 1;
      const first = await sendList(going.slice(0, half));
      const second = await sendList(going.slice(half));
      return first === 200 ? second : first;
    }
    const status = res.status === 200 ? 502 : res.status; // something answered that is not our server
    await stay(going, status, new Date().toISOString());
    return status;
  };

  // What was sent is kept for a day, to be taken back and seen; photos as long as an entry needs them.
  const tidy = (status) => tx("readwrite", (s) => {
    s("meta").put({ key: "last", status, at: new Date().toISOString() });
    s("entries").getAll().onsuccess = ({ target: { result: list } }) => {
      for (const r of list) if (r.state === "sent" && Math.abs(Date.now() - Date.parse(r.told)) > 86400000) s("entries").delete(r.id);
      const needed = new Set(list.filter((r) => unsent(r) || r.v > FORMAT).flatMap((r) => (r.media || []).map((m) => m.sha256)));
      s("media").getAllKeys().onsuccess = ({ target: { result: sums } }) => { for (const sum of sums) if (!needed.has(sum)) s("media").delete(sum); };
    };
  });

  // Sends what waits; gives {left, status}. Entries of somebody else than who is signed in stay until that person is.
  const flush = async () => {
    const out = await alone(async () => {
      let status = 200;
      const waiting = (await all()).filter((r) => r.v === FORMAT && r.state === "queued");
      if (waiting.length === 0) return { status, left: 0 };
      for (const by of new Set(waiting.map((r) => r.by))) {
        const list = waiting.filter((r) => r.by === by);
        for (let i = 0; i < list.length; i += BATCH) {
          const s = await sendList(list.slice(i, i + BATCH));
          if (s === 200) continue;
          status = s;
          if (s === 0 || s === 401 || s === 409 || s >= 500) break;
        }
        if (status === 0 || status === 401 || status >= 500) break;
      }
      await tidy(status);
      return { status, left: (await all()).filter((r) => r.state === "queued").length };
    });
    if (out !== "busy") changed();
    return out;
  };

  self.outbox = { open, all, get, add, change, undo, flush, ulid, unsent, FORMAT, meta: (key) => tx("readonly", (s) => s("meta").get(key)) };
})();
