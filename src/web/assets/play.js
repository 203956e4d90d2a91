// SPDX-License-Identifier: Apache-2.0
// play.js — the playground: streams a chat answer and shows what it took (first token, rate, target, attempts).

const form = document.getElementById("play");
const $ = (id) => document.getElementById(id);
const say = form.dataset;
let history = []; // what the model is told, without the system message
let running = null;

function row(who, text) {
  const div = document.createElement("div");
  div.className = "msg-row";
  const b = document.createElement("b");
  b.textContent = who;
  const p = document.createElement("p");
  p.textContent = text;
  div.append(b, p);
  $("messages").querySelector(".empty")?.remove();
  $("messages").append(div);
  $("messages").scrollTop = $("messages").scrollHeight;
  return div;
}

// Server-sent events out of a byte stream: calls each(data) for every event.
async function events(body, each) {
  const decoder = new TextDecoder();
  const reader = body.getReader();
  let rest = "";
  for (;;) {
    const { value, done } = await reader.read();
    rest += decoder.decode(value ?? new Uint8Array(), { stream: !done }).replaceAll("\r\n", "\n");
    let cut;
    while ((cut = rest.indexOf("\n\n")) >= 0) {
      const data = rest.slice(0, cut).split("\n").filter((l) => l.startsWith("data:")).map((l) => l.slice(5).replace(/^ /, ""));
      rest = rest.slice(cut + 2);
      if (data.length) each(data.join("\n"));
    }
    if (done) return;
  }
}

function settings() {
  const messages = [];
  if ($("system").value.trim()) messages.push({ role: "system", content: $("system").value });
  return { model: $("model").value, messages: messages.concat(history), stream: true, stream_options: { include_usage: true },
    temperature: Number($("temperature").value), max_tokens: Number($("max_tokens").value) };
}

async function ask(answer) {
  const began = performance.now();
  const seen = { first: 0, pieces: 0, text: "", usage: null, target: "", attempts: "" };
  const reply = await fetch(say.endpoint, { method: "POST", signal: running.signal, body: JSON.stringify(settings()),
    headers: { "content-type": "application/json", "x-csrf-token": say.csrf } });
  if (!reply.ok) {
    const problem = await reply.json().catch(() => ({}));
    throw new Error(problem.error?.message ?? `${reply.status}`);
  }
  seen.target = reply.headers.get("x-ballast-target") ?? "";
  seen.attempts = reply.headers.get("x-ballast-attempts") ?? "";
  await events(reply.body, (data) => {
    if (data === "[DONE]") return;
    const event = JSON.parse(data);
    if (event.error) throw new Error(event.error.message ?? String(event.error));
    if (event.usage) seen.usage = event.usage;
    const piece = event.choices?.[0]?.delta?.content;
    if (!piece) return;
    seen.first ||= performance.now() - began;
    seen.pieces += 1;
    seen.text += piece;
    answer.querySelector("p").textContent = seen.text;
    $("messages").scrollTop = $("messages").scrollHeight;
    $("stats").textContent = figures(seen, began);
  });
  return { seen, began };
}

function figures(seen, began) {
  const tokens = seen.usage?.completion_tokens ?? seen.pieces;
  const seconds = (performance.now() - began - seen.first) / 1000;
  const parts = [`${say.tTtft} ${Math.round(seen.first)} ms`];
  if (seconds > 0 && tokens > 1) parts.push(`${((tokens - 1) / seconds).toFixed(1)} ${say.tRate}`);
  if (seen.usage) parts.push(`${seen.usage.prompt_tokens} + ${tokens} ${say.tTokens}`);
  if (seen.usage && seen.target) parts.push(`${say.tTarget} ${seen.target}`);
  if (seen.usage && seen.attempts) parts.push(`${say.tAttempts} ${seen.attempts}`);
  return parts.join(" · ");
}

form.addEventListener("submit", async (e) => {
  e.preventDefault();
  const prompt = $("prompt").value.trim();
  if (!prompt || running) return;
  $("prompt").value = "";
  row(say.tYou, prompt);
  history.push({ role: "user", content: prompt });
  const answer = row($("model").value, "…");
  running = new AbortController();
  $("send").disabled = true;
  $("stop").hidden = false;
  try {
    const { seen, began } = await ask(answer);
    seen.usage ??= { prompt_tokens: "?", completion_tokens: seen.pieces };
    if (!seen.text) answer.querySelector("p").textContent = say.tEmpty;
    history.push({ role: "assistant", content: seen.text });
    const facts = document.createElement("div");
    facts.className = "facts";
    facts.textContent = figures(seen, began);
    answer.append(facts);
    $("stats").textContent = "";
  } catch (problem) {
    const stopped = problem.name === "AbortError";
    const p = answer.querySelector("p");
    const partial = p.textContent === "…" ? "" : p.textContent;
    if (stopped && partial) history.push({ role: "assistant", content: partial });
    else history.pop();
    const note = document.createElement("div");
    note.className = "facts";
    note.textContent = stopped ? say.tStopped : `${say.tFailed} (${problem.message})`;
    if (!stopped) answer.classList.add("failed");
    p.textContent = partial;
    answer.append(note);
    $("stats").textContent = "";
    if (!stopped) $("prompt").value = prompt;
  }
  running = null;
  $("send").disabled = false;
  $("stop").hidden = true;
  $("prompt").focus();
});
$("prompt").addEventListener("keydown", (e) => {
  if (e.key === "Enter" && !e.shiftKey && !e.isComposing) {
    e.preventDefault();
    form.requestSubmit();
  }
});
$("stop").addEventListener("click", () => running?.abort());
$("clear").addEventListener("click", () => {
  history = [];
  $("messages").replaceChildren();
  $("stats").textContent = "";
  $("prompt").focus();
});

// What the gateway offers: deployments and remote providers. While there is nothing, look again.
async function models() {
  const reply = await fetch("/v1/models").catch(() => null);
  const names = reply?.ok ? (await reply.json()).data.map((m) => m.id) : [];
  const select = $("model");
  const known = new Set([...select.options].map((o) => o.value));
  for (const name of names.sort()) if (!known.has(name)) select.add(new Option(name, name, false, name === say.want));
  form.hidden = select.options.length === 0;
  $("no-model").hidden = !form.hidden;
  if (form.hidden) setTimeout(models, 3000);
}
models();
