// On every page of those who work here: the switch of colours without loading the page again, also on pages that a phone kept, and open
// menus close when somebody taps elsewhere.
(() => {
  "use strict";
  const root = document.documentElement;
  const kept = () => (document.cookie.match(/(?:^|; )theme=(light|dark|sun)(?:;|$)/) || [])[1] || "";
  const show = (name) => {
    if (name) root.dataset.theme = name; else delete root.dataset.theme;
    for (const a of document.querySelectorAll(".shade a")) if (a.dataset.theme === (name || "auto")) a.setAttribute("aria-current", "true"); else a.removeAttribute("aria-current");
  };
  show(kept());
  for (const a of document.querySelectorAll(".shade a")) a.addEventListener("click", (event) => {
    const name = a.dataset.theme;
    event.preventDefault();
    const secure = location.protocol === "https:" ? "; Secure" : "";
    document.cookie = "theme=" + name + "; Path=/; SameSite=Lax; Max-Age=" + (name === "auto" ? 0 : 34560000) + secure;
    show(kept());
    a.closest("details").open = false;
  });
  const shut = (but) => {
    for (const d of document.querySelectorAll(".rest[open], .shade[open]")) if (!but || !d.contains(but)) d.open = false;
  };
  document.addEventListener("click", (event) => shut(event.target));
  document.addEventListener("keydown", (event) => {
    if (event.key !== "Escape") return;
    const open = document.querySelector(".rest[open], .shade[open]");
    if (open) { shut(null); open.querySelector("summary").focus(); }
  });
})();
