// SPDX-License-Identifier: Apache-2.0
// app.js — what every page gains with JavaScript: "/" to search, copy buttons, times in the reader's zone, menus that close.

const search = document.getElementById("q");
document.addEventListener("keydown", (e) => {
  if (e.key === "/" && !e.ctrlKey && !e.metaKey && !e.altKey && !e.target.closest("input,textarea,select,[contenteditable]")) {
    e.preventDefault();
    search?.focus();
    search?.select();
  }
  if (e.key === "Escape") {
    for (const m of document.querySelectorAll("details.menu[open]")) {
      m.open = false;
      m.querySelector("summary").focus();
    }
  }
});
document.addEventListener("click", (e) => {
  for (const m of document.querySelectorAll("details.menu[open]")) if (!m.contains(e.target)) m.open = false;
  const b = e.target.closest("[data-copy]");
  if (b) copy(b);
});

async function copy(button) {
  const text = button.dataset.copy || button.parentElement.querySelector("pre").textContent;
  try {
    await navigator.clipboard.writeText(text);
  } catch {
    // Plain http without a secure context: the old way.
    const area = document.createElement("textarea");
    area.value = text;
    document.body.append(area);
    area.select();
    document.execCommand("copy");
    area.remove();
    button.focus();
  }
  button.classList.add("copied");
  const label = button.children.length ? null : button.textContent;
  if (label !== null) button.textContent = "✓";
  setTimeout(() => {
    button.classList.remove("copied");
    if (label !== null) button.textContent = label;
  }, 1200);
}

const zone = new Intl.DateTimeFormat(document.documentElement.lang, { dateStyle: "medium", timeStyle: "long" });
const day = new Intl.DateTimeFormat(document.documentElement.lang, { dateStyle: "medium" });
const short = new Intl.DateTimeFormat(document.documentElement.lang, { dateStyle: "medium", timeStyle: "short" });
function localTimes(root) {
  for (const t of root.querySelectorAll("time[datetime]")) {
    const at = new Date(t.dateTime);
    t.title = zone.format(at);
    if ("abs" in t.dataset) t.textContent = (t.dataset.abs === "date" ? day : short).format(at);
  }
}
localTimes(document);
document.addEventListener("fresh", (e) => localTimes(e.target)); // live.js has replaced a part
