// Checks a proof of the ledger in the reader's own browser: the leaf's hash, the way up to the root, the signature of the log's key, and that
// what was recorded is what the leaf is the hash of. It can only be as honest as the server that sent it; the page says so.
(() => {
  "use strict";
  const box = document.getElementById("check");
  if (!box) return;
  const says = box.dataset, result = box.querySelector(".result"), steps = box.querySelector(".steps");
  const bytes = (base64) => Uint8Array.from(atob(base64), (c) => c.charCodeAt(0));
  const utf8 = (text) => new TextEncoder().encode(text);
  const join = (...parts) => {
    const out = new Uint8Array(parts.reduce((n, p) => n + p.length, 0));
    let at = 0;
    for (const p of parts) { out.set(p, at); at += p.length; }
    return out;
  };
  const sha = async (data) => new Uint8Array(await crypto.subtle.digest("SHA-256", data));
  const same = (a, b) => a.length === b.length && a.every((x, i) => x === b[i]);

  // c2sp.org/tlog-proof: extra, index, hashes, an empty line, the signed checkpoint.
  const parse = (text) => {
    const cut = text.indexOf("\n\n"), head = text.slice(0, cut).split("\n"), note = text.slice(cut + 2);
    if (cut < 0 || head[0] !== "c2sp.org/tlog-proof@v1" || !head[1].startsWith("extra ") || !head[2].startsWith("index ")) throw new Error("proof");
    const end = note.indexOf("\n\n"), signed = note.slice(0, end + 1), lines = signed.split("\n");
    return {
      leaf: bytes(head[1].slice(6)), index: BigInt(head[2].slice(6)), path: head.slice(3).map(bytes),
      signed, origin: lines[0], size: BigInt(lines[1]), root: bytes(lines[2]),
      signatures: note.slice(end + 2).split("\n").filter((l) => l.startsWith("\u2014 ")).map((l) => l.slice(2).split(" ")),
    };
  };

  // RFC 9162, 2.1.3.2.
  const climb = async (p) => {
    if (p.index >= p.size) throw new Error("index");
    let fn = p.index, sn = p.size - 1n, at = await sha(join(Uint8Array.of(0), p.leaf));
    for (const h of p.path) {
      if (sn === 0n) throw new Error("path");
      if (fn & 1n || fn === sn) {
        at = await sha(join(Uint8Array.of(1), h, at));
        while (!(fn & 1n) && fn !== 0n) { fn >>= 1n; sn >>= 1n; }
      } else {
        at = await sha(join(Uint8Array.of(1), at, h));
      }
      fn >>= 1n; sn >>= 1n;
    }
    if (sn !== 0n) throw new Error("path");
    return at;
  };

  // c2sp.org/signed-note: name+hash+base64(1 || public key); a signature is base64(hash || Ed25519).
  const signedBy = async (p, vkey) => {
    const [name, hash, ...rest] = vkey.split("+"), key = bytes(rest.join("+"));
    if (name !== p.origin || key[0] !== 1 || key.length !== 33) throw new Error("key");
    const id = (await sha(join(utf8(name + "\n"), key))).slice(0, 4);
    if ([...id].map((x) => x.toString(16).padStart(2, "0")).join("") !== hash) throw new Error("key");
    const pub = await crypto.subtle.importKey("raw", key.slice(1), { name: "Ed25519" }, false, ["verify"]);
    for (const [who, sig] of p.signatures) {
      const raw = bytes(sig);
      if (who === name && same(raw.slice(0, 4), id)) return crypto.subtle.verify({ name: "Ed25519" }, pub, raw.slice(4), utf8(p.signed));
    }
    return false;
  };

  const recorded = async (p) => {
    const answer = await fetch("/ledger/body/" + says.n);
    if (!answer.ok) throw new Error("body");
    const b = await answer.json(), want = new TextDecoder().decode(p.leaf).split("\n")[5];
    return same(await sha(join(bytes(b.salt), bytes(b.body))), bytes(want));
  };

  const step = async (word, f) => {
    let good = false;
    try { good = await f(); } catch (e) { good = false; if (e.name === "NotSupportedError") throw e; }
    const li = document.createElement("li");
    li.textContent = (good ? "\u2713 " : "\u2717 ") + word;
    steps.append(li);
    return good;
  };

  const run = async () => {
    result.className = "result";
    result.textContent = says.running;
    steps.replaceChildren();
    let good = true;
    try {
      const answer = await fetch("/ledger/proof/" + says.n + ".tlog-proof");
      if (!answer.ok) throw new Error("proof");
      const p = parse(await answer.text()), vkey = document.getElementById("key").value.trim();
      good = await step(says.leaf, async () => new TextDecoder().decode(p.leaf).startsWith("aovuon/leaf/1\n") && String(p.index) === says.n) && good;
      good = await step(says.root, async () => same(await climb(p), p.root)) && good;
      good = await step(says.signature, () => signedBy(p, vkey)) && good;
      if (says.body) good = await step(says.content, () => recorded(p)) && good;
    } catch (e) {
      if (e.name === "NotSupportedError") { result.textContent = says.old; return; }
      good = false;
    }
    result.className = "result chip " + (good ? "ok" : "danger");
    result.textContent = good ? says.good : says.bad;
  };
  box.querySelector(".run").hidden = false;
  if (window.crypto && crypto.subtle) {
    box.querySelector("button").addEventListener("click", run);
  } else { // not over TLS, or an old browser
    box.querySelector("button").hidden = true;
    result.textContent = says.old;
  }
})();
