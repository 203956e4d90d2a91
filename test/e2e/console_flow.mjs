// SPDX-License-Identifier: Apache-2.0
// console_flow.mjs — a person in a browser. Called by test_console.py:
//   console_flow.mjs PART BASE JSON-OPTIONS    PART: browse | plain | deploy
// Throws on the first thing that is not as it must be; prints "ok" at the end.
import assert from "node:assert/strict";
import { createRequire } from "node:module";
import path from "node:path";

const [part, base, json] = process.argv.slice(2);
const opt = JSON.parse(json);
const require = createRequire(path.resolve(opt.modules, "x.js"));
const { chromium } = require("playwright-core");
const FLAGS = ["--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking", "--disable-component-update", "--disable-sync"];

const browser = await chromium.launch({ executablePath: "/usr/bin/chromium", args: FLAGS });
const context = await browser.newContext({ locale: "en-US", javaScriptEnabled: part !== "plain", permissions: ["clipboard-read", "clipboard-write"] });
const page = await context.newPage();
page.setDefaultTimeout(opt.timeout ?? 15000);
const complaints = []; // the page's policy refuses everything foreign or inline; nothing of ours may meet it
page.on("console", (m) => m.type() === "error" && !/status of 4\d\d/.test(m.text()) && complaints.push(m.text()));
page.on("pageerror", (e) => complaints.push(String(e)));
const foreign = [];
page.on("request", (r) => new URL(r.url()).origin !== base && foreign.push(r.url()));
const main = () => page.locator("main");
const text = async (locator) => (await locator.innerText()).replace(/\s+/g, " ");

async function signIn(to) {
  await page.goto(`${base}${to}`);
  await page.fill("#user", opt.user);
  await page.fill("#password", "not the password");
  await page.press("#password", "Enter");
  const wrong = await text(page.getByRole("alert"));
  await page.fill("#user", "nobody-of-this-name");
  await page.fill("#password", "not the password");
  await page.press("#password", "Enter");
  assert.equal(await text(page.getByRole("alert")), wrong, "the answer must not tell a wrong name from a wrong password");
  await page.fill("#user", opt.user);
  await page.fill("#password", opt.password);
  await page.press("#password", "Enter");
  await page.waitForURL(base + to);
}

async function newToken() {
  await page.fill("main #name", "from the browser");
  await page.selectOption("#role", "write");
  await page.getByRole("button", { name: "Create token" }).click();
  const secret = await page.locator("#token").innerText();
  assert.match(secret, /^hf_[A-Za-z0-9]{37}$/);
  const who = await fetch(`${base}/api/whoami-v2`, { headers: { authorization: `Bearer ${secret}` } });
  assert.equal((await who.json()).name, opt.user);
  await page.goto(`${base}/settings/tokens`);
  assert.ok(!(await page.content()).includes(secret), "a secret is shown once");
  await page.getByRole("button", { name: "Revoke from the browser" }).click();
  await page.getByText("The token is revoked.").waitFor();
  const gone = await fetch(`${base}/api/whoami-v2`, { headers: { authorization: `Bearer ${secret}` } });
  assert.equal(gone.status, 401);
}

async function whyBlocked() {
  await page.goto(`${base}/explore`);
  await page.fill("#q", "harmless");
  await page.press("#q", "Enter");
  await main().getByRole("link", { name: opt.blocked, exact: true }).click();
  await page.locator(".repohead .chip.block").click(); // one click from the verdict to the why
  const why = await text(main());
  for (const said of ["This revision is blocked", "evil.bin", "Where", "Rule pack", "Signature", "Responsible", "ballast review verify"])
    assert.ok(why.includes(said), `the review page does not say ${said}: ${why}`);
  assert.match(why, /posix\.system|os\.system/);
  await main().getByRole("link", { name: "Open the file" }).first().click();
  assert.ok((await text(main())).includes("The content is withheld"));
  assert.equal(await main().getByRole("link", { name: "Download" }).count(), 0);
}

async function card() {
  await page.goto(`${base}/${opt.good}`);
  const h = await text(main());
  for (const said of ["A small model", "apache-2.0", "pass", "Downloads"]) assert.ok(h.includes(said), `the card does not say ${said}`);
  assert.equal(await page.locator(".md script, .md iframe, .md [onclick]").count(), 0);
  await page.getByRole("link", { name: "Files", exact: true }).click();
  await page.getByRole("link", { name: "config.json" }).click();
  assert.ok((await text(page.locator("table.source"))).includes("LlamaForCausalLM"));
  await page.getByRole("link", { name: "Use", exact: true }).click();
  assert.ok((await text(main())).includes(`HF_ENDPOINT=${base}`));
  // one way at a time; a radio button, so without JavaScript too
  assert.equal(await page.locator("#use-python").isVisible(), false);
  await page.locator(".pick").getByText("Python", { exact: true }).click();
  assert.equal(await page.locator("#use-python").isVisible(), true);
  assert.equal(await page.locator("#use-hf").isVisible(), false);
  await page.keyboard.press("ArrowRight");
  assert.equal(await page.locator("#use-git").isVisible(), true, "arrow keys choose");
}

// What is pasted elsewhere has a button that copies it; a printed page is the text alone, all of it.
async function copiedAndPrinted() {
  await page.goto(`${base}/${opt.good}/use/main`);
  await page.locator("#use-hf .copy").click();
  assert.match(await page.evaluate(() => navigator.clipboard.readText()), new RegExp(`HF_ENDPOINT=${base}\nhf download ${opt.good}`));
  await page.getByRole("button", { name: "Copy the commit id" }).click();
  assert.match(await page.evaluate(() => navigator.clipboard.readText()), /^[0-9a-f]{40}$/);
  await page.emulateMedia({ media: "print", colorScheme: "dark" });
  assert.equal(await page.evaluate(() => getComputedStyle(document.querySelector("main .muted")).color), "rgb(92, 102, 95)", "dark ink on white paper");
  for (const gone of [".top", ".bottom", ".tabs", "#use-hf .copy"]) assert.equal(await page.locator(gone).first().isVisible(), false, `${gone} is printed`);
  for (const there of ["h1", "#use-hf pre", "#use-git pre"]) assert.equal(await page.locator(there).isVisible(), true, `${there} is not printed`);
  await page.emulateMedia({ media: null, colorScheme: null });
}

async function timesInMyZone() {
  await page.goto(`${base}/${opt.good}/commits/main`);
  const t = page.locator("main time").first();
  assert.match(await t.innerText(), /ago|just now/);
  assert.doesNotMatch(await t.getAttribute("title"), /^\d{4}-/, "the title is written in the reader's zone and language");
}

async function nothingToAsk() {
  await page.goto(`${base}/playground`);
  await page.getByText("No model is ready to answer.").waitFor();
  for (const hidden of ["#prompt", "#stop", "#model"]) assert.equal(await page.locator(hidden).isVisible(), false, `${hidden} shows without a model`);
}

async function keysAndSwitches() {
  await page.goto(`${base}/${opt.good}/tree/main`);
  await page.keyboard.press("Tab");
  assert.equal(await page.evaluate(() => document.activeElement.className), "skip");
  await page.keyboard.press("Enter");
  assert.equal(await page.evaluate(() => document.activeElement.id), "main");
  await page.keyboard.press("/");
  assert.equal(await page.evaluate(() => document.activeElement.id), "q");
  await page.getByRole("button", { name: "中文" }).click();
  assert.equal(page.url(), `${base}/${opt.good}/tree/main`);
  assert.equal(await page.evaluate(() => document.documentElement.lang), "zh-CN");
  assert.ok((await text(page.locator("nav.tabs"))).includes("文件"));
  await page.getByRole("button", { name: "English" }).click();
  await page.getByRole("button", { name: /Theme/ }).click();
  await page.getByRole("button", { name: /Theme: light/ }).click();
  const paper = await page.evaluate(() => getComputedStyle(document.body).backgroundColor);
  assert.equal(paper, "rgb(18, 23, 26)");
}

async function signOut() {
  if (part !== "plain") await page.locator(".top details.menu summary").click();
  else await page.locator(".top details.menu summary").click(); // <details> needs no script
  await page.getByRole("button", { name: "Sign out" }).click();
  await page.getByRole("link", { name: "Sign in" }).waitFor();
  await page.goto(`${base}/settings/tokens`);
  assert.equal(await page.locator("#password").count(), 1);
}

async function deploy() {
  await page.goto(`${base}/${opt.good}`);
  await page.getByRole("link", { name: "Deploy", exact: true }).click();
  await page.fill("main #name", opt.model);
  await page.getByRole("button", { name: "Deploy", exact: true }).click();
  // live: without a reload
  await page.locator(".state.ready").waitFor().catch(async () => assert.fail(`not ready: ${await text(main())}`));
  await page.getByText("talking engine on port").waitFor(); // the end of its log
  const facts = await text(main());
  for (const said of ["Replicas", "1 / 1", "Tokens/s", "Memory", "Since", "Restarts"]) assert.ok(facts.includes(said), `the deployment does not say ${said}: ${facts}`);
  assert.match(facts, /\d [kM]B/);
  await page.goto(`${base}/deployments`);
  const row = await text(page.locator("table.deploys tbody tr").first());
  for (const said of [opt.model, opt.good, "ready", "talking", "1 / 1"]) assert.ok(row.includes(said), `the table does not say ${said}: ${row}`);
  await page.getByRole("link", { name: "Try" }).click();
  await page.fill("#prompt", "Quid est veritas?");
  await page.keyboard.press("Enter");
  const figures = page.locator(".msg-row .facts");
  await figures.waitFor({ timeout: opt.timeout ?? 60000 });
  const said = await text(page.locator(".msg-row").last());
  assert.ok(said.includes(opt.answer), `the answer is missing: ${said}`);
  for (const figure of ["time to first token", "tokens/s", "tokens", "answered by", "attempts 1"]) assert.ok(said.includes(figure), `no ${figure}: ${said}`);
}

async function stop() {
  await page.goto(`${base}/deployments`);
  await page.getByRole("link", { name: opt.model, exact: true }).click();
  await page.getByRole("button", { name: "Stop" }).click();
  await page.getByText("The deployment stops").waitFor();
}

if (part === "browse") {
  await signIn("/settings/tokens");
  await newToken();
  await card();
  await whyBlocked();
  await copiedAndPrinted();
  await timesInMyZone();
  await nothingToAsk();
  await keysAndSwitches();
  await signOut();
} else if (part === "plain") {
  await signIn("/settings/tokens");
  await newToken();
  await card();
  await whyBlocked();
  await signOut();
} else if (part === "deploy") {
  await signIn("/settings/profile");
  await deploy();
  await stop();
}
await browser.close();
assert.deepEqual(complaints, [], "the browser complained");
assert.deepEqual(foreign, [], "a page asked another host");
console.log("ok");
