// SPDX-License-Identifier: Apache-2.0
// live.js — keeps [data-live] parts fresh: asks the server for the same fragment while the page is visible.

const every = 2000;
const longest = 30000;

function keep(part) {
  let wait = every;
  let last = null;
  async function turn() {
    if (!document.hidden) {
      try {
        const answer = await fetch(part.dataset.live, { headers: { accept: "text/html" }, cache: "no-store" });
        if (!answer.ok) throw new Error(String(answer.status));
        const html = await answer.text();
        wait = every;
        // A part that holds the focus is left alone until the reader moves on.
        const held = part.contains(document.activeElement) && document.activeElement !== part.querySelector("pre.log");
        if (html !== last && !held) {
          const log = part.querySelector("pre.log");
          const follow = !log || log.scrollTop + log.clientHeight >= log.scrollHeight - 4;
          part.innerHTML = html; // escaped by the server's templates, same origin
          part.dispatchEvent(new CustomEvent("fresh", { bubbles: true }));
          last = html;
          const fresh = part.querySelector("pre.log");
          if (fresh && follow) fresh.scrollTop = fresh.scrollHeight;
        }
      } catch {
        wait = Math.min(wait * 2, longest);
      }
    }
    setTimeout(turn, wait);
  }
  const log = part.querySelector("pre.log");
  if (log) log.scrollTop = log.scrollHeight;
  setTimeout(turn, every);
}
for (const part of document.querySelectorAll("[data-live]")) keep(part);
