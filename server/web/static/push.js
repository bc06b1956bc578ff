// Has this device told of alarms: asks the browser for an address at its maker's push service, and sends it as a field of the form. Without this
// script the button stays hidden, and the page says what is needed.
(async () => {
  "use strict";
  const form = document.querySelector("[data-push]");
  if (!form) return;
  const on = form.querySelector("[data-on]"), wrong = form.querySelector("[data-wrong]");
  const show = (what) => { wrong.textContent = wrong.dataset[what]; wrong.hidden = false; };
  form.querySelector("[data-noscript]").hidden = true;
  if (!navigator.serviceWorker || !window.PushManager || !window.Notification) return show("unable");
  const raw = (text) => Uint8Array.from(atob(text.replace(/-/g, "+").replace(/_/g, "/")), (c) => c.charCodeAt(0));
  const same = (a, b) => a && a.byteLength === b.length && new Uint8Array(a).every((v, i) => v === b[i]);
  const key = raw(form.dataset.push);
  const rows = [...document.querySelectorAll("[data-endpoint]")];
  const worker = async () => { await navigator.serviceWorker.register("/sw.js"); return navigator.serviceWorker.ready; };

  // What this browser has, if the server has it too.
  const had = await worker().then((r) => r.pushManager.getSubscription()).catch(() => null);
  const row = had && same(had.options.applicationServerKey, key) && Notification.permission === "granted" && rows.find((li) => li.dataset.endpoint === had.endpoint);
  if (row) {
    form.querySelector("[data-here]").hidden = false;
    row.querySelector("[data-this]").hidden = false;
    row.querySelector("[data-off]").addEventListener("submit", () => { had.unsubscribe().catch(() => {}); });
    return;
  }
  on.hidden = false;
  on.addEventListener("click", async () => {
    wrong.hidden = true;
    on.disabled = true;
    try {
      if (await Notification.requestPermission() !== "granted") throw new DOMException("", "NotAllowedError");
      const r = await worker();
      const old = await r.pushManager.getSubscription();
      if (old && !same(old.options.applicationServerKey, key)) await old.unsubscribe(); // of another key: it could not be used
      const sub = await r.pushManager.subscribe({ userVisibleOnly: true, applicationServerKey: key });
      form.elements.subscription.value = JSON.stringify(sub);
      form.submit();
    } catch (e) {
      show(e.name === "NotAllowedError" ? "denied" : "failed");
      on.disabled = false;
    }
  });
})();
