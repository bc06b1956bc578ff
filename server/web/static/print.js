// A print that is being made: the bar follows the server. Without this script the page says so when it is asked for again, and the file waits.
(() => {
  "use strict";
  const bar = document.getElementById("made");
  if (!bar) return;
  const said = document.getElementById("made-said");
  const ask = async () => {
    let state;
    try {
      state = await (await fetch(bar.dataset.from, { headers: { Accept: "application/json" } })).json();
    } catch {
      setTimeout(ask, 5000);
      return;
    }
    if (state.all) {
      bar.max = state.all;
      bar.value = state.done;
      said.textContent = bar.dataset.words.replace("%s", state.done.toLocaleString(document.documentElement.lang)).replace("%s", state.all.toLocaleString(document.documentElement.lang));
    }
    if (state.ready) {
      location.replace(location.href);
      return;
    }
    setTimeout(ask, 1000);
  };
  setTimeout(ask, 500);
})();
