// The service worker: keeps the pages of one's own places, and shows them when no signal brings newer ones. Its first lines are put in by the
// server (offline.go): BUILD, SHELL, and the address of outbox.js.
"use strict";
importScripts(OUTBOX);
const PATIENCE = 3000;
const STATIC = "static";
const ours = /^\/($|p\/|places\/|diary|log\/|outbox$|help($|\/))/;

self.addEventListener("install", (event) => event.waitUntil((async () => {
  const cache = await caches.open(STATIC);
  await Promise.all(SHELL.map((url) => cache.add(new Request(url, { cache: "reload" }))));
  await self.skipWaiting();
})()));
self.addEventListener("activate", (event) => event.waitUntil(self.clients.claim()));

// Pages lie in the cache of the session that asked for them. A session of somebody else removes it; a new one of the same person takes it over.
const met = async (res) => {
  const who = res.headers.get("X-Session");
  if (!who) return null;
  if (!/^\/(sign-in|c$|c\/|setup)/.test(new URL(res.url).pathname)) await (await caches.open(STATIC)).delete("/?");
  const name = "mine-" + who;
  for (const other of await caches.keys()) {
    if (!other.startsWith("mine-") || other === name) continue;
    if (other.split(".")[0] === name.split(".")[0]) {
      const [from, to] = [await caches.open(other), await caches.open(name)];
      for (const key of await from.keys()) { const page = await from.match(key); if (page) await to.put(key, page); }
    }
    await caches.delete(other);
  }
  return name;
};
// Somebody leaves, or enters: what was asked before and comes later is not kept.
let left = 0;
const forget = async () => { left++; for (const name of await caches.keys()) if (name.startsWith("mine-")) await caches.delete(name); };
const keeping = async (name, since) => {
  const cache = await caches.open(name);
  if (since === left) return cache;
  await caches.delete(name);
  return null;
};
const mine = async () => {
  if (await caches.match("/?", { cacheName: STATIC })) return null;
  const name = (await caches.keys()).find((n) => n.startsWith("mine-"));
  return name ? caches.open(name) : null;
};

const keyOf = (url) => {
  const at = new URL(url, location.origin);
  const lang = at.searchParams.get("lang");
  return at.pathname + (lang && lang !== "vi" ? "?lang=" + lang : "");
};
const plain = (url) => [...new URL(url).searchParams.keys()].every((k) => k === "lang" || k === "kept");

// A page as it was kept, which says of when it is.
const old = async (page) => new Response((await page.text()).replace('id="as-of" hidden', 'id="as-of"'), {
  headers: [...page.headers].filter(([name]) => !/^content-(encoding|length)$/.test(name)),
});

const page = async (event, url) => {
  const cache = await mine();
  const had = cache && plain(url) ? await cache.match(keyOf(url)) : null;
  const since = left;
  const net = fetch(event.request).then(async (res) => {
    const name = since === left && await met(res);
    if (name && res.status === 200 && ours.test(new URL(url).pathname) && plain(url) && !url.includes("kept=")) {
      const copy = res.clone();
      const to = await keeping(name, since);
      if (to) await to.put(keyOf(url), copy);
    }
    return res;
  });
  event.waitUntil(net.catch(() => {}));
  if (!had) return net.catch(async () => (await caches.match(new URL(url).pathname === "/outbox" ? "/outbox" : "/offline", { cacheName: STATIC })) || Response.error());
  const res = await Promise.race([net.catch(() => null), new Promise((done) => { setTimeout(done, PATIENCE, null); })]);
  return res && res.status < 500 && res.status !== 429 ? res : old(had); // 429: many phones ask from one address
};

const asset = async (request) => (await caches.match(request, { cacheName: STATIC })) || fetch(request);

// A phone that nobody is signed in on shows no alarms: the server is told while it still knows who asks. Where no signal can tell it, the browser's address
// ends all the same, and the server hears that from the push service.
const hush = async () => {
  const sub = self.registration.pushManager && await self.registration.pushManager.getSubscription();
  if (!sub) return;
  const body = new URLSearchParams({ endpoint: sub.endpoint });
  await fetch("/account/push/off", { method: "POST", credentials: "same-origin", redirect: "manual", body }).catch(() => {});
  await sub.unsubscribe();
};

// Whoever signs out takes the pages along, also where no signal can tell the server.
const leave = async (request) => {
  await Promise.all([forget(), Promise.race([hush().catch(() => {}), new Promise((done) => { setTimeout(done, PATIENCE); })])]);
  return fetch(request).catch(async () => (await caches.match("/offline", { cacheName: STATIC })) || Response.error());
};

// Somebody signed in: until the server says who, no page that was kept is shown.
const enter = async (request) => {
  left++;
  await (await caches.open(STATIC)).put("/?", new Response(""));
  return fetch(request);
};

self.addEventListener("fetch", (event) => {
  const { request } = event;
  const url = new URL(request.url);
  if (url.origin !== location.origin) return;
  if (request.method === "POST" && url.pathname === "/sign-out") event.respondWith(leave(request));
  else if (request.method === "POST" && /^\/(sign-in|c$|setup\/)/.test(url.pathname)) event.respondWith(enter(request));
  else if (request.method !== "GET") return;
  else if (url.pathname.startsWith("/static/")) event.respondWith(asset(request));
  else if (request.mode === "navigate") event.respondWith(page(event, request.url));
});

// Fetches what changed of the own pages; the list, with a mark for the state of each, is the answer of /api/me/farm.
let warming = null;
const warm = async (query) => {
  const since = left;
  const res = await fetch("/api/me/farm" + query, { credentials: "same-origin" });
  if (!res.ok) return;
  const name = since === left && await met(res);
  const farm = await res.json();
  const cache = name && await keeping(name, since);
  if (!cache) return;
  const before = await cache.match("/api/me/farm");
  const had = before ? (await before.json()).pages : {};
  const statics = await caches.open(STATIC);
  for (const url of farm.assets) if (!await statics.match(url)) await statics.add(url);
  let failed = false;
  const todo = [];
  for (const [url, mark] of Object.entries(farm.pages)) if (had[url] !== mark || !await cache.match(url)) todo.push(url);
  const work = async () => {
    for (let url = todo.shift(); url; url = todo.shift()) {
      const got = await fetch(url, { credentials: "same-origin", redirect: "manual" }).catch(() => null);
      if (got && got.status === 200 && got.headers.get("X-Session") === res.headers.get("X-Session")) await cache.put(url, got); else { failed = true; delete farm.pages[url]; }
    }
  };
  await Promise.all([work(), work(), work()]);
  if (farm.all) for (const key of await cache.keys()) { const path = keyOf(key.url); if (/^\/(p|places|log)\//.test(path) && !(path in farm.pages) && !path.startsWith("/places/")) await cache.delete(key); }
  if (!failed) for (const key of await statics.keys()) if (!farm.assets.includes(new URL(key.url).pathname) && !SHELL.includes(new URL(key.url).pathname)) await statics.delete(key);
  await cache.put("/api/me/farm", new Response(JSON.stringify(farm.all ? farm : { ...farm, pages: { ...had, ...farm.pages } })));
  for (const client of await self.clients.matchAll({ includeUncontrolled: true })) client.postMessage({ kept: farm.as_of });
};
self.addEventListener("message", (event) => {
  if (event.data && event.data.warm) event.waitUntil(warming = (warming || Promise.resolve()).then(() => warm(event.data.warm)).catch(() => {}));
});

self.addEventListener("sync", (event) => {
  if (event.tag === "outbox") event.waitUntil(outbox.flush().then((out) => { if (out !== "busy" && out.left) throw new Error("not all sent"); }));
});

// An alarm comes (server/channel/push/FORMAT.md). Browsers want something shown for each, also for one that cannot be read.
self.addEventListener("push", (event) => {
  let m = {};
  try { m = event.data.json(); } catch { /* shown as it is: empty */ }
  const icon = SHELL.find((url) => url.includes("icon-192"));
  event.waitUntil(self.registration.showNotification(m.title || "AoVườn", {
    body: m.body || "", tag: m.tag || m.id || "aovuon", renotify: true, lang: m.lang || "vi", icon, requireInteraction: m.level === "crit" && m.kind !== "closed",
    vibrate: m.level === "crit" ? [400, 150, 400, 150, 400] : [200], data: { url: m.url || "/" },
  }));
});
self.addEventListener("notificationclick", (event) => {
  event.notification.close();
  event.waitUntil((async () => {
    let url = new URL("/", location.origin);
    try { const to = new URL(event.notification.data.url, location.origin); if (to.origin === location.origin) url = to; } catch { /* the first page */ }
    for (const client of await self.clients.matchAll({ type: "window" })) {
      if ("focus" in client && new URL(client.url).origin === url.origin) {
        await client.focus();
        if ("navigate" in client) return client.navigate(url.href).catch(() => self.clients.openWindow(url.href));
      }
    }
    return self.clients.openWindow(url.href);
  })());
});
// A browser that changes its address by itself tells the new one, as long as the old one is still wanted.
self.addEventListener("pushsubscriptionchange", (event) => event.waitUntil((async () => {
  const old = event.oldSubscription;
  if (!old) return;
  const next = event.newSubscription || await self.registration.pushManager.subscribe({ userVisibleOnly: true, applicationServerKey: old.options.applicationServerKey });
  await fetch("/account/push", { method: "POST", credentials: "same-origin", body: new URLSearchParams({ subscription: JSON.stringify(next), old: old.endpoint }) });
})()));
