#!/usr/bin/env node
// SPDX-License-Identifier: Apache-2.0
// screenshots.mjs — every page of the console × {en, zh} × {light, dark} × {360, 1280} px, with checks:
// axe-core (serious and critical), sideways scrolling, console errors, bytes of page + stylesheet.
//
//   screenshots.mjs --static DIR --out DIR             pages drawn by web_sample (no server)
//   screenshots.mjs --base URL --user U --password P --pages FILE --out DIR    a running server; FILE: NAME<TAB>PATH<TAB>in|out lines
//   options: --only NAME,…   --widths 360,1280   --modules DIR (node_modules with playwright-core and axe-core)   --no-pictures
//
// Prints one JSON line a page and fails (exit 1) when a check fails.
import { createRequire } from "node:module";
import fs from "node:fs";
import http from "node:http";
import path from "node:path";

const opt = { widths: "360,1280", modules: "build/npm" };
for (let i = 2; i < process.argv.length; i++) {
  const name = process.argv[i].replace(/^--/, "");
  opt[name] = ["no-pictures"].includes(name) ? true : process.argv[++i];
}
const require = createRequire(path.resolve(opt.modules, "x.js"));
const { chromium } = require("playwright-core");
const axe = fs.readFileSync(require.resolve("axe-core/axe.min.js"), "utf8");
const CSP = "default-src 'self'; base-uri 'none'; object-src 'none'; frame-ancestors 'none'; form-action 'self'";
const FLAGS = ["--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking", "--disable-component-update", "--disable-sync"];

function serve(dir) {
  const types = { ".html": "text/html; charset=utf-8", ".css": "text/css", ".js": "text/javascript", ".svg": "image/svg+xml" };
  const server = http.createServer((req, res) => {
    const file = path.join(dir, path.normalize(new URL(req.url, "http://x").pathname));
    if (!fs.existsSync(file) || fs.statSync(file).isDirectory()) return res.writeHead(404).end();
    res.writeHead(200, { "content-type": types[path.extname(file)] ?? "application/octet-stream", "content-security-policy": CSP });
    res.end(fs.readFileSync(file));
  });
  return new Promise((done) => server.listen(0, "127.0.0.1", () => done(server)));
}

function tasks() {
  const list = [];
  for (const lang of (opt.langs ?? "en,zh").split(","))
    for (const theme of (opt.themes ?? "light,dark").split(",")) {
      const names = opt.static
        ? fs.readdirSync(opt.static).filter((f) => f.endsWith(`.${lang}.${theme}.html`)).map((f) => [f.split(".")[0], `/${f}`, "out"])
        : fs.readFileSync(opt.pages, "utf8").trim().split("\n").map((l) => l.split("\t"));
      for (const [name, url, who] of names)
        if (!opt.only || opt.only.split(",").includes(name)) list.push({ name, url, who, lang, theme });
    }
  return list;
}

async function contextFor(browser, base, task, cache) {
  const key = `${task.lang}.${task.theme}.${task.who}`;
  if (cache.has(key)) return cache.get(key);
  // axe is injected by the driver, which the page's own policy would refuse; the policy itself is tested by the end-to-end test
  const context = await browser.newContext({ locale: task.lang === "zh" ? "zh-CN" : "en-US", colorScheme: task.theme, bypassCSP: true });
  if (!opt.static && task.who === "in") {
    const page = await context.newPage();
    await page.goto(`${base}/sign-in`);
    await page.fill("#user", opt.user);
    await page.fill("#password", opt.password);
    await page.press("#password", "Enter");
    await page.waitForURL((u) => !u.pathname.startsWith("/sign-in"));
    await page.close();
  }
  cache.set(key, context);
  return context;
}

const server = opt.static ? await serve(opt.static) : null;
const base = opt.static ? `http://127.0.0.1:${server.address().port}` : opt.base.replace(/\/$/, "");
if (opt.out) fs.mkdirSync(opt.out, { recursive: true });
const browser = await chromium.launch({ executablePath: "/usr/bin/chromium", args: FLAGS });
const cache = new Map();
let failed = 0;
for (const task of tasks()) {
  const context = await contextFor(browser, base, task, cache);
  const page = await context.newPage();
  const problems = [];
  let bytes = 0;
  page.on("console", (m) => m.type() === "error" && !/status of 40[14]/.test(m.text()) && problems.push(`console: ${m.text()}`));
  page.on("pageerror", (e) => problems.push(`script: ${e.message}`));
  page.on("response", async (r) => {
    const type = r.headers()["content-type"] ?? "";
    if (type.startsWith("text/html") || type.startsWith("text/css")) bytes += (await r.body().catch(() => "")).length;
  });
  await page.goto(base + task.url, { waitUntil: "load" });
  for (const width of opt.widths.split(",").map(Number)) {
    await page.setViewportSize({ width, height: width < 600 ? 740 : 860 });
    await page.waitForTimeout(60);
    const over = await page.evaluate(() => document.documentElement.scrollWidth - window.innerWidth);
    if (over > 0) problems.push(`${width} px: scrolls sideways by ${over} px`);
    if (opt.out && !opt["no-pictures"]) await page.screenshot({ path: path.join(opt.out, `${task.name}.${task.lang}.${task.theme}.${width}.png`), fullPage: true });
  }
  if (bytes > 60000) problems.push(`${bytes} bytes of page and stylesheet`);
  await page.evaluate(axe);
  const found = await page.evaluate(() => window.axe.run(document, { resultTypes: ["violations"] }));
  for (const v of found.violations.filter((x) => ["serious", "critical"].includes(x.impact)))
    problems.push(`axe ${v.id} (${v.impact}): ${v.nodes.map((n) => n.target.join(" ") + " " + (n.failureSummary ?? "").split("\n")[1]).slice(0, 3).join(" | ")}`);
  if (problems.length) failed++;
  console.log(JSON.stringify({ page: task.name, lang: task.lang, theme: task.theme, bytes, problems }));
  await page.close();
}
await browser.close();
server?.close();
console.log(`${failed === 0 ? "clean" : `${failed} pages with problems`}`);
process.exit(failed ? 1 : 0);
