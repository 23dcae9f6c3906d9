// Keeps the page in step with the forge: every event fetches the page anew and
// replaces the parts that differ. Without this script the forms work all the same.
"use strict";
(() => {
  const shown = new Map();
  for (const part of document.querySelectorAll("[data-live]")) shown.set(part.id, part.outerHTML);
  const light = document.getElementById("live");

  const apply = (text, keepSaid) => {
    const fresh = new DOMParser().parseFromString(text, "text/html");
    for (const part of fresh.querySelectorAll("[data-live]")) {
      if (keepSaid && part.id === "said") continue;
      const old = document.getElementById(part.id);
      const html = part.outerHTML;
      if (!old || shown.get(part.id) === html) continue;
      const open = [...old.querySelectorAll("details")].map((d) => d.open);
      const moved = shown.has(part.id) && strip(shown.get(part.id)) !== strip(html);
      shown.set(part.id, html);
      const next = document.importNode(part, true);
      if (open.length === next.querySelectorAll("details").length) next.querySelectorAll("details").forEach((d, i) => (d.open = open[i]));
      old.replaceWith(next);
      if (moved && part.id === "verdict") next.classList.add("moved");
    }
  };
  // What only tells the time has not moved.
  const strip = (html) => html.replace(/<time[^>]*>[^<]*<\/time>/g, "");

  let asking = false, again = false;
  const refresh = async () => {
    if (asking) { again = true; return; }
    asking = true;
    try {
      const answer = await fetch(location.pathname + location.search, { cache: "no-store" });
      if (answer.ok) apply(await answer.text(), true);
    } catch { /* the stream says when the demonstration is back */ }
    asking = false;
    if (again) { again = false; refresh(); }
  };

  const stream = new EventSource("/events");
  stream.addEventListener("moved", refresh);
  stream.addEventListener("open", () => { light.textContent = "live"; light.className = "live on"; refresh(); });
  stream.addEventListener("error", () => { light.textContent = "stopped"; light.className = "live off"; });
  setInterval(refresh, 30000);

  document.addEventListener("submit", async (event) => {
    const form = event.target;
    if (!form.matches("[data-act]")) return;
    event.preventDefault();
    const data = new URLSearchParams(new FormData(form, event.submitter));
    const answer = await fetch(form.action, { method: "POST", body: data });
    const text = await answer.text();
    apply(text, false);
    if (!new URL(answer.url).searchParams.has("said")) form.querySelectorAll("textarea[name=body], input[name^=risk]").forEach((f) => { if (f.id !== "describe" && f.id !== "text") f.value = ""; });
  });

  document.addEventListener("click", (event) => {
    const fill = event.target.closest("[data-fill]");
    if (fill) { const box = document.getElementById("body"); box.value = fill.dataset.fill; box.focus(); }
    if (event.target.closest("[data-risk]")) {
      const words = ["no, because the tone only ends later than before and never earlier", "no, because HZ-5 stays controlled by the second sounder", "no, because the nurse call output is not touched by this", "no, because no input from outside is read here"];
      words.forEach((w, i) => { document.querySelector(`input[name=risk${i + 1}]`).value = w; });
    }
  });
})();
