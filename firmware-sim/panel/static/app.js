// Keeps the page true without reloading: every three seconds it is fetched anew, and the parts marked data-live take their new
// inside. Forms are outside of them, so nothing that is being typed is lost. Without this script the page is reloaded by hand.
(() => {
"use strict";
const lost = document.getElementById("lost");
let missed = 0, busy = false;
const look = async () => {
if (busy || document.hidden) return;
busy = true;
try {
const answer = await fetch(location.href, { cache: "no-store", signal: AbortSignal.timeout(10000) });
if (!answer.ok) throw new Error(answer.status);
const fresh = new DOMParser().parseFromString(await answer.text(), "text/html");
for (const at of document.querySelectorAll("[data-live]")) {
const now = fresh.getElementById(at.id);
if (!now || at.contains(document.activeElement) || at.innerHTML === now.innerHTML) continue;
at.innerHTML = now.innerHTML;
at.className = now.className;
}
missed = 0;
} catch (e) {
missed += 1;
}
busy = false;
lost.hidden = missed < 3;
};
setInterval(look, 3000);
})();
