// What pages do beyond what the server writes: nothing here is needed to read one.
"use strict";

// Moments in the reader's own time zone; the title keeps UTC.
function localize(root) {
  for (const element of root.querySelectorAll("time[datetime]:not([data-done])")) {
    const moment = new Date(element.dateTime);
    if (Number.isNaN(moment.getTime())) continue;
    element.dataset.done = "";
    element.title = element.textContent.trim() + " UTC";
    const pad = (number) => String(number).padStart(2, "0");
    const day = moment.getFullYear() + "-" + pad(moment.getMonth() + 1) + "-" + pad(moment.getDate());
    const clock = pad(moment.getHours()) + ":" + pad(moment.getMinutes());
    element.textContent = element.hasAttribute("data-clock") ? clock : day + " " + clock;
  }
}

// Forms that are sent as soon as something is chosen, and questions before what cannot be undone.
document.addEventListener("change", (event) => {
  const form = event.target.closest("form[data-auto]");
  if (form) form.requestSubmit();
});
document.addEventListener("submit", (event) => {
  const question = event.target.dataset.ask || (event.submitter && event.submitter.dataset.ask);
  if (question && !window.confirm(question)) event.preventDefault();
});
document.addEventListener("click", (event) => {
  if (event.target.closest("[data-print]")) window.print();
});

// A text file that is chosen is put where it could have been typed.
document.addEventListener("change", async (event) => {
  const place = event.target.dataset && document.getElementById(event.target.dataset.into || "");
  const file = event.target.files && event.target.files[0];
  if (place && file) place.value = await file.text();
});

// How far an upload is.
document.addEventListener("htmx:xhr:progress", (event) => {
  const bar = event.target.closest && event.target.closest("[data-progress]")?.querySelector("progress");
  if (!bar || !event.detail.lengthComputable) return;
  bar.hidden = false;
  bar.value = (100 * event.detail.loaded) / event.detail.total;
});

// Whether what is shown is still current.
const link = document.getElementById("link");
function say(state) {
  if (!link) return;
  link.hidden = false;
  link.dataset.state = state;
  link.textContent = link.dataset[state];
}
if (document.querySelector("[sse-connect]")) say("connecting");
document.addEventListener("htmx:sseOpen", () => say("live"));
document.addEventListener("htmx:sseError", () => say("offline"));

document.addEventListener("htmx:configRequest", (event) => {
  const token = document.querySelector('meta[name="csrf-token"]');
  if (token) event.detail.headers["x-csrf-token"] = token.content;
});
document.addEventListener("htmx:afterSwap", (event) => localize(event.target));
document.addEventListener("htmx:sseMessage", () => localize(document));

// What applies at once without scripts behind a button.
for (const element of document.querySelectorAll("form[data-auto] .apply")) element.hidden = true;
// A menu that is open hides the page below on a small screen.
document.addEventListener("keydown", (event) => {
  if (event.key !== "Escape") return;
  for (const menu of document.querySelectorAll("details.menu[open]")) menu.open = false;
});
localize(document);
