// The corners of a place: a button writes down where the phone is. Without this script, or where the phone does not say, corners are typed.
(() => {
  "use strict";
  const button = document.getElementById("here");
  const said = document.getElementById("here-said");
  const corners = document.getElementById("f-outline");
  if (!button || !said || !corners || !navigator.geolocation || !window.isSecureContext) return;
  const words = button.dataset;
  corners.closest(".field").append(button, said);
  button.hidden = said.hidden = false;
  button.addEventListener("click", () => {
    button.disabled = true;
    said.textContent = words.wait;
    navigator.geolocation.getCurrentPosition(({ coords }) => {
      button.disabled = false;
      const text = corners.value.trimEnd();
      corners.value = (text ? text + "\n" : "") + coords.latitude.toFixed(6) + ", " + coords.longitude.toFixed(6);
      corners.rows = Math.max(3, corners.value.split("\n").length + 1);
      said.textContent = words.done.replace("%s", Math.ceil(coords.accuracy));
    }, () => {
      button.disabled = false;
      said.textContent = words.failed;
    }, { enableHighAccuracy: true, timeout: 30000, maximumAge: 0 });
  });
})();
