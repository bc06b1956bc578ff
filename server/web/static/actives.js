// While the name or the actives of an input are typed: what is banned, or deadly to fish, is said at once. Without this script the page says it
// when the record is saved.
(() => {
  "use strict";
  const say = document.getElementById("actives");
  const form = document.querySelector("main form[method=post]");
  if (!say || !form) return;
  const fields = () => [...form.elements].filter((e) => e.name === "name" || e.name === "actives");
  const branch = () => (["pesticide", "fertilizer", "seed"].includes((form.elements.type || {}).value) ? "crop" : "fish");
  let timer = 0;
  let asked = 0;
  const ask = async () => {
    const mine = ++asked;
    const text = fields().map((e) => e.value).join(" | ").slice(0, 400);
    const url = new URL("/api/actives", location.href);
    url.searchParams.set("text", text);
    url.searchParams.set("branch", branch());
    url.searchParams.set("lang", document.documentElement.lang);
    try {
      const res = await fetch(url, { credentials: "same-origin" });
      if (!res.ok || mine !== asked) return;
      const { actives } = await res.json();
      if (mine !== asked) return;
      say.replaceChildren(...actives.map((a) => {
        const p = document.createElement("p");
        p.className = "wrong " + (a.blocks ? "danger" : "warned");
        p.textContent = a.text;
        return p;
      }));
    } catch {
      // No signal: the page says it when the record is saved.
    }
  };
  form.addEventListener("input", (event) => {
    if (event.target.name !== "name" && event.target.name !== "actives" && event.target.name !== "type") return;
    clearTimeout(timer);
    timer = setTimeout(ask, 300);
  });
})();
