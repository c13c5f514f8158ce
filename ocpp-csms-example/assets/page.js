// Replaces the changing part of the page whenever the server sends it anew. The browser connects again by itself.
const overview = document.getElementById("overview");
const link = document.getElementById("link");
const events = new EventSource("/live");
events.addEventListener("overview", (event) => {
  overview.innerHTML = event.data;
});
events.onopen = () => {
  link.textContent = "live";
  link.dataset.state = "on";
};
events.onerror = () => {
  link.textContent = "connection lost, trying again…";
  link.dataset.state = "off";
};
