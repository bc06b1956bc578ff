// The form of an entry: what is saved goes to the outbox of this phone first, then to the server. Without this script, or where the browser
// keeps nothing, the form is sent as any other.
(() => {
  "use strict";
  const form = document.getElementById("log");
  const me = document.documentElement.dataset.me;
  if (!form || !me || !self.outbox || !self.indexedDB || !self.crypto || !crypto.subtle) return;
  const words = form.dataset;
  const $ = (id) => document.getElementById(id);
  const fields = [...form.querySelectorAll(".field[data-key]")];
  const inputs = (field) => [...field.querySelectorAll("input, select, textarea")];
  let mends = "";
  let media = []; // {sha256, type, blob}
  let had = []; // of the entry that is mended or corrected: {sha256, type}
  const touched = new Set(); // inputs that a person changed: what the form begins with comes a moment after the page, and not over these
  form.addEventListener("input", (event) => touched.add(event.target));
  const put = (input, value) => { if (!touched.has(input)) input.value = value; };

  // A number as people write it here: 1.234,5; and as programs do: 1234.5. As form.ParseNumber; "1.234" could be either and is asked again.
  const number = (text) => {
    let s = text.replace(/[ \u00a0\u202f]/g, "");
    if (/^-?\d{1,3}(\.\d{3})+,\d+$/.test(s) || /^-?\d{1,3}(\.\d{3}){2,}$/.test(s)) s = s.replace(/\./g, "");
    else if (/^-?[1-9]\d{0,2}\.\d{3}$/.test(s)) return NaN;
    s = s.replace(",", ".");
    return /^-?(\d+\.?\d*|\.\d+)$/.test(s) ? Number(s) : NaN;
  };
  self.parseNumber = number;

  const complain = (field, text) => {
    const p = field.querySelector(".wrong");
    p.textContent = text || "";
    p.hidden = !text;
    field.classList.toggle("bad", !!text);
    for (const i of inputs(field)) i.toggleAttribute("aria-invalid", !!text);
  };

  // The answer of a field, undefined where there is none; [answer, what is wrong].
  const answer = (field) => {
    const { type } = field.dataset;
    const all = inputs(field);
    const one = all[0];
    if (one.type === "radio") { const on = all.find((i) => i.checked && i.value); return [on ? (type === "flag" ? on.value === "yes" : on.value) : undefined]; }
    if ("repeat" in field.dataset) {
      const list = all.filter((i) => (i.type === "checkbox" ? i.checked : i.value.trim())).map((i) => i.value.trim());
      return [list.length ? list : undefined];
    }
    const text = one.value.trim();
    if (!text) return [undefined];
    if (type === "moment") return [new Date(text + ":00+07:00").toISOString()];
    if (type !== "number") return [text];
    const n = number(text);
    const [min, max] = [Number(one.dataset.min), Number(one.dataset.max)];
    if (Number.isNaN(n)) return [text, words.number];
    if ("whole" in one.dataset && !Number.isInteger(n)) return [n, words.whole];
    if (n < min) return [n, words.small.replace("%s", min)];
    if (max && n > max) return [n, words.large.replace("%s", max)];
    return [n];
  };

  const read = () => {
    const values = {};
    const text = [];
    let first = null;
    for (const field of fields) {
      let [value, wrong] = answer(field);
      const one = inputs(field)[0];
      if (value === undefined && one.required) wrong = words.missing;
      complain(field, wrong);
      if (wrong) first = first || one;
      if (value === undefined) continue;
      values[field.dataset.key] = value;
      if (text.length < 3) text.push(one.type === "radio" ? inputs(field).find((i) => i.checked).parentNode.textContent : one.tagName === "SELECT" ? one.selectedOptions[0].textContent : (field.querySelector("label, legend").textContent.replace("*", "").trim() + " " + one.value));
    }
    return { values, text: text.join(" · "), first };
  };

  const fill = (values) => {
    for (const field of fields) {
      const v = values[field.dataset.key];
      const all = inputs(field);
      if (v === undefined || all.some((i) => touched.has(i))) continue;
      if (field.dataset.type === "flag") for (const i of all) i.checked = i.value === (v ? "yes" : "no");
      else if (all[0].type === "radio") for (const i of all) i.checked = i.value === v;
      else if (all[0].type === "checkbox") for (const i of all) i.checked = [].concat(v).includes(i.value);
      else if ("repeat" in field.dataset) [].concat(v).forEach((x, i) => { const at = all[i] || all[0].parentNode.insertBefore(all[0].cloneNode(), all[0]); at.value = x; });
      else if (field.dataset.type === "number") all[0].value = String(v).replace(".", document.documentElement.lang === "en" ? "." : ",");
      else all[0].value = field.dataset.type === "moment" ? local(v) : v;
      if (field.closest("details")) field.closest("details").open = true;
    }
  };
  const local = (at) => new Date(Date.parse(at) + 7 * 3600000).toISOString().slice(0, 16);

  // What it begins with: the entry that is mended, or what was entered here last and is not sent yet.
  const begin = async () => {
    const mend = (location.hash.match(/^#mend=([0-9A-Z]{26})$/) || [])[1];
    const list = await outbox.all();
    const r = mend && list.find((x) => x.id === mend && x.state === "refused" && x.by === me);
    if (r) {
      mends = r.id;
      had = r.media || [];
      fill(r.event.values || {});
      put(form.elements.note, r.event.note || "");
      if (r.event.cycle && form.elements.cycle) put(form.elements.cycle, r.event.cycle);
      put(form.elements.occurred, local(r.event.occurred));
      for (const p of r.problems || []) { const f = fields.find((x) => x.dataset.key === p.key); if (f) complain(f, words.again); }
      shown();
      return;
    }
    if (words.corrects) { had = JSON.parse(words.media || "[]"); return; }
    const last = list.filter((x) => x.state !== "dropped" && x.by === me && x.event.kind === words.kind && x.event.place === words.place && Date.parse(x.recorded || x.event.recorded) > Date.parse(words.drawn)).pop();
    if (last) fill(Object.fromEntries(Object.entries(last.event.values).filter(([key]) => fields.some((f) => f.dataset.key === key && "kept" in f.dataset))));
  };

  // Photos become JPEG of at most 1600 px, which leaves out what the camera wrote into them: place, time, model.
  const hex = async (blob) => [...new Uint8Array(await crypto.subtle.digest("SHA-256", await blob.arrayBuffer()))].map((b) => b.toString(16).padStart(2, "0")).join("");
  const small = async (file) => {
    const img = await createImageBitmap(file, { imageOrientation: "from-image" });
    const by = Math.min(1, 1600 / Math.max(img.width, img.height));
    const canvas = document.createElement("canvas");
    [canvas.width, canvas.height] = [Math.max(1, Math.round(img.width * by)), Math.max(1, Math.round(img.height * by))];
    canvas.getContext("2d").drawImage(img, 0, 0, canvas.width, canvas.height);
    img.close();
    return new Promise((done, fail) => { canvas.toBlob((blob) => (blob ? done(blob) : fail(new Error("no JPEG"))), "image/jpeg", 0.8); });
  };
  const attach = async (blob, type) => {
    const sha256 = await hex(blob);
    if (media.length + had.length < 10 && !media.some((m) => m.sha256 === sha256)) media.push({ sha256, type, blob });
    shown();
  };
  const shown = () => {
    const list = $("media");
    list.replaceChildren(...media.concat(had).map((m) => {
      const li = document.createElement("li");
      const el = document.createElement(m.type.startsWith("audio") ? "audio" : "img");
      if (m.blob) { el.src = URL.createObjectURL(m.blob); el.controls = true; el.alt = words.photo; } else el.alt = words.photo + " ✓";
      const x = document.createElement("button");
      x.type = "button";
      x.className = "quiet";
      x.textContent = words.remove;
      x.addEventListener("click", () => { media = media.filter((o) => o !== m); had = had.filter((o) => o !== m); shown(); });
      li.append(el, x);
      return li;
    }));
  };
  const photo = form.elements.photo;
  photo.addEventListener("change", async () => {
    for (const file of photo.files) await small(file).then((b) => attach(b, "image/jpeg")).catch(() => say(words.nophoto));
    photo.value = "";
  });

  const voice = $("voice");
  if (navigator.mediaDevices && self.MediaRecorder) {
    voice.hidden = false;
    let recorder = null;
    voice.addEventListener("click", async () => {
      if (recorder) { recorder.stop(); return; }
      const sound = await navigator.mediaDevices.getUserMedia({ audio: true }).catch(() => null);
      if (!sound) { say(words.novoice); return; }
      const parts = [];
      recorder = new MediaRecorder(sound, { audioBitsPerSecond: 24000 });
      const limit = setTimeout(() => recorder.stop(), 60000);
      recorder.ondataavailable = (event) => parts.push(event.data);
      recorder.onstop = () => {
        clearTimeout(limit);
        for (const t of sound.getTracks()) t.stop();
        const type = recorder.mimeType.split(";")[0];
        recorder = null;
        voice.textContent = words.record;
        attach(new Blob(parts, { type }), type);
      };
      recorder.start();
      voice.textContent = words.stop;
    });
  }

  const say = (text) => { $("said").textContent = text; $("said").hidden = !text; };

  // True: it is on the phone, and the page goes.
  const keep = async (with_) => {
    const { values, text, first } = read();
    if (first) { if (first.closest("details")) first.closest("details").open = true; first.focus(); return false; }
    const note = form.elements.note.value.trim();
    if (words.kind === "note" && !note && !media.length && !had.length) { say(words.empty); form.elements.note.focus(); return false; }
    const now = new Date().toISOString();
    const when = form.elements.occurred.value;
    const id = outbox.ulid();
    const event = {
      kind: words.kind, place: words.place || undefined, cycle: form.elements.cycle ? form.elements.cycle.value || undefined : undefined, values, note: note || undefined,
      corrects: words.corrects || undefined, occurred: when ? new Date(when + ":00+07:00").toISOString() : now, recorded: now,
    };
    try {
      await outbox.add({ id, by: me, title: words.title, text, form: location.pathname + location.search, mends: mends || undefined, event, media: had }, with_ ? media : []);
    } catch (err) {
      const full = err && err.name === "QuotaExceededError";
      say((full ? words.full : words.failed) + (full && media.length && with_ ? " " + words.without : ""));
      $("without").hidden = !(full && media.length && with_);
      return false;
    }
    if (navigator.storage && navigator.storage.persist) navigator.storage.persist().catch(() => {});
    location.assign(words.next + "#kept=" + id);
    return true;
  };
  // A tap before the form knows what it begins with is not lost, and waits for that; one while the next page comes, which may take a while, is no
  // second entry.
  const begun = begin().catch(() => {});
  let busy = false;
  const once = async (with_) => { if (busy) return; busy = true; await begun; busy = await keep(with_).catch(() => false); };
  self.addEventListener("pageshow", (event) => { if (event.persisted) busy = false; });
  form.noValidate = true;
  form.classList.add("scripted");
  form.addEventListener("submit", (event) => { event.preventDefault(); once(true); });
  $("without").addEventListener("click", () => once(false));
})();
