// Asks the browser for a passkey, or for a new one, and sends its answer as a field of the form the button stands in. The server's question is
// fetched when the button is pressed; without this script the buttons stay hidden, and the password does.
(() => {
  "use strict";
  if (!window.PublicKeyCredential || !navigator.credentials) return;
  const raw = (text) => Uint8Array.from(atob(text.replace(/-/g, "+").replace(/_/g, "/")), (c) => c.charCodeAt(0));
  const text = (buffer) => btoa(String.fromCharCode(...new Uint8Array(buffer))).replace(/\+/g, "-").replace(/\//g, "_").replace(/=+$/, "");
  const named = (list) => (list || []).map((c) => ({ ...c, id: raw(c.id) }));

  const question = async (button) => {
    const res = await fetch(button.dataset.from, { method: "POST", body: new URLSearchParams({ what: button.dataset.what }) });
    if (!res.ok) { // JSON, or plain text where too much was asked
      const said = await res.text();
      throw new Error(said.startsWith("{") ? JSON.parse(said).error : said);
    }
    const q = await res.json();
    q.challenge = raw(q.challenge);
    if (q.user) q.user = { ...q.user, id: raw(q.user.id) };
    if (q.allowCredentials) q.allowCredentials = named(q.allowCredentials);
    if (q.excludeCredentials) q.excludeCredentials = named(q.excludeCredentials);
    return q;
  };

  const answer = (c) => {
    const r = c.response, out = { clientDataJSON: text(r.clientDataJSON) };
    if (r.attestationObject) {
      out.attestationObject = text(r.attestationObject);
      out.transports = r.getTransports ? r.getTransports() : [];
    } else {
      out.authenticatorData = text(r.authenticatorData);
      out.signature = text(r.signature);
      if (r.userHandle) out.userHandle = text(r.userHandle);
    }
    return JSON.stringify({ id: c.id, rawId: text(c.rawId), type: c.type, clientExtensionResults: {}, response: out });
  };

  for (const box of document.querySelectorAll("[data-passkey]")) {
    const button = box.querySelector("[data-from]"), wrong = box.querySelector("[data-wrong]"), form = button.form;
    for (const e of [box, ...form.querySelectorAll("[data-script]")]) e.hidden = false;
    for (const e of form.querySelectorAll("[data-noscript]")) e.hidden = true;
    button.addEventListener("click", async () => {
      wrong.hidden = true;
      button.disabled = true;
      try {
        const publicKey = await question(button);
        const c = button.dataset.what === "new" ? await navigator.credentials.create({ publicKey }) : await navigator.credentials.get({ publicKey });
        form.elements.passkey.value = answer(c);
        form.submit();
      } catch (e) {
        wrong.textContent = e.name === "InvalidStateError" ? wrong.dataset.there : e.name && e.name !== "Error" ? wrong.dataset.wrong : e.message;
        wrong.hidden = false;
        button.disabled = false;
      }
    });
  }
})();
