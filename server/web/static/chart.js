// Looks closer at the charts of a page: what was measured when, at the same moment in all of them, and a stretch of time drawn with the
// finger or the mouse becomes the page's period. The server draws that anew with finer steps. Without this script the links above the charts do it.
(() => {
  "use strict";
  const room = document.querySelector("[data-times]");
  if (!room) return;
  // The drawing's units, as server/web/chart has them.
  const WIDTH = 360, LEFT = 44, RIGHT = 352, TOP = 12;
  const ZONE = "Asia/Ho_Chi_Minh", LEAST = 600;
  room.classList.add("ready");
  const lang = document.documentElement.lang;
  const figs = [...room.querySelectorAll("figure[data-src]")].map((at) => ({ at, svg: at.querySelector("svg.chart"), says: at.querySelector("output"), d: at.dataset }));
  const shapes = document.createElementNS.bind(document, "http://www.w3.org/2000/svg");
  for (const f of figs) {
    f.sel = f.svg.appendChild(shapes("path"));
    f.sel.setAttribute("class", "sel");
    f.cursor = f.svg.appendChild(shapes("path"));
    f.cursor.setAttribute("class", "cursor");
    f.tall = f.svg.viewBox.baseVal.height;
    f.from = Number(f.d.from);
    f.to = Number(f.d.to);
    f.svg.setAttribute("tabindex", "0");
  }

  const answers = new Map();
  const ask = (src) => {
    if (!answers.has(src)) {
      answers.set(src, fetch(src, { headers: { Accept: "application/json" } }).then((r) => (r.ok ? r.json() : null)).then((a) => {
        if (!a) answers.delete(src);
        return a;
      }).catch(() => { answers.delete(src); return null; }));
    }
    return answers.get(src);
  };
  const stepAt = (answer, key, t) => {
    const line = answer && answer.series.find((s) => [answer.place, s.gateway, s.sensor, s.quantity].join(" ") === key);
    return line && line.steps.find((s) => { const at = Date.parse(s.start) / 1000; return at <= t && t < at + answer.step_s; });
  };

  const clock = new Intl.DateTimeFormat("sv-SE", { timeZone: ZONE, year: "numeric", month: "2-digit", day: "2-digit", hour: "2-digit", minute: "2-digit" });
  const moment = (t) => clock.format(new Date(t * 1000)).replace(" ", "T");
  const spoken = (t) => { const m = moment(t); return m.slice(11) + " " + m.slice(8, 10) + "/" + m.slice(5, 7); };
  const number = (f, v) => {
    const share = f.d.share === "1";
    const n = Number(share ? 0 : f.d.decimals);
    return (share ? 100 * v : v).toLocaleString(lang, { minimumFractionDigits: n, maximumFractionDigits: n });
  };

  const x = (f, t) => LEFT + (RIGHT - LEFT) * (t - f.from) / (f.to - f.from);
  const timeAt = (f, event) => {
    const box = f.svg.getBoundingClientRect();
    const units = (event.clientX - box.left) / box.width * WIDTH;
    return f.from + (f.to - f.from) * Math.min(Math.max((units - LEFT) / (RIGHT - LEFT), 0), 1);
  };

  let asked = 0;
  const show = async (t) => {
    const mine = ++asked;
    for (const f of figs) {
      const within = t >= f.from && t <= f.to;
      f.cursor.setAttribute("d", within ? "M" + x(f, t).toFixed(1) + " " + TOP + "V" + f.tall : "");
    }
    for (const f of figs) {
      const answers = await Promise.all(f.d.src.split("\n").map(ask));
      if (mine !== asked) return;
      const lines = f.d.key.split("\n").map((key, i) => {
        const [name, letter] = key.split("\t");
        const s = stepAt(answers[i], name, t);
        const say = s && s.n > 0 ? number(f, s.mean) + (f.d.unit ? " " + f.d.unit : "") : room.dataset.none;
        const band = s && s.n > 1 && f.d.share !== "1" && !letter ? " (" + number(f, s.min) + "–" + number(f, s.max) + ")" : "";
        return (letter ? letter + " " : "") + say + band;
      });
      f.says.textContent = answers.some((a) => a) ? spoken(t) + ": " + lines.join(" · ") : "";
    }
  };
  const hide = () => {
    asked++;
    for (const f of figs) { f.cursor.setAttribute("d", ""); f.sel.setAttribute("d", ""); f.says.textContent = ""; }
  };
  const mark = (a, b) => {
    for (const f of figs) {
      f.sel.setAttribute("d", a === null ? "" : "M" + x(f, a).toFixed(1) + " " + TOP + "H" + x(f, b).toFixed(1) + "V" + f.tall + "H" + x(f, a).toFixed(1) + "z");
    }
  };
  const go = (a, b) => {
    let [from, to] = [Math.min(a, b), Math.max(a, b)];
    if (to - from < LEAST) { const lack = (LEAST - (to - from)) / 2; from -= lack; to += lack; }
    const u = new URL(room.dataset.times, location.href);
    u.searchParams.set("from", moment(from));
    u.searchParams.set("to", moment(to + 59));
    location.assign(u);
  };

  for (const f of figs) {
    let begun = null, beganAt = 0;
    f.svg.addEventListener("pointerdown", (e) => {
      if (e.button !== 0) return;
      begun = timeAt(f, e);
      beganAt = e.clientX;
      f.svg.setPointerCapture(e.pointerId);
      show(begun);
    });
    f.svg.addEventListener("pointermove", (e) => {
      const t = timeAt(f, e);
      if (begun !== null && Math.abs(e.clientX - beganAt) > 8) mark(begun, t);
      show(t);
    });
    f.svg.addEventListener("pointerup", (e) => {
      const a = begun;
      begun = null;
      if (a !== null && Math.abs(e.clientX - beganAt) > 8) go(a, timeAt(f, e));
    });
    f.svg.addEventListener("pointercancel", () => { begun = null; hide(); });
    f.svg.addEventListener("pointerleave", (e) => { if (begun === null && e.pointerType === "mouse") hide(); });
    let at = null;
    f.svg.addEventListener("focus", () => { at = at ?? f.to; });
    f.svg.addEventListener("blur", hide);
    f.svg.addEventListener("keydown", (e) => {
      const step = Number(room.dataset.step);
      if (e.key === "ArrowLeft") at = Math.max(f.from, at - step);
      else if (e.key === "ArrowRight") at = Math.min(f.to, at + step);
      else if (e.key === "Home") at = f.from;
      else if (e.key === "End") at = f.to;
      else if (e.key === "Enter") { go(at - (f.to - f.from) / 4, at + (f.to - f.from) / 4); return; }
      else if (e.key === "Escape") { begun = null; hide(); return; }
      else return;
      e.preventDefault();
      show(at);
    });
  }
})();
