// SPDX-License-Identifier: Apache-2.0
// js_client.mjs — what a person does with npm's @huggingface/hub: node js_client.mjs MODULES URL TOKEN USER REVIEW_WAIT_MS
// Prints one line a step and "JS OK n" at the end; any unexpected answer ends it with exit code 1.
import assert from "node:assert/strict";
import { createHash, randomBytes } from "node:crypto";
import fs from "node:fs";
import os from "node:os";
import path from "node:path";
import { createRequire } from "node:module";
import { pathToFileURL } from "node:url";

const [modules, hubUrl, accessToken, user] = process.argv.slice(2);
const require = createRequire(path.join(modules, "package.json"));
const hub = await import(pathToFileURL(require.resolve("@huggingface/hub")));
const auth = { hubUrl, accessToken };
const sha256 = (b) => createHash("sha256").update(b).digest("hex");
const all = async (it) => { const out = []; for await (const x of it) out.push(x); return out; };
const bytes = async (blob) => Buffer.from(await blob.arrayBuffer());
const until = async (f, ms = 60000) => {
  for (const end = Date.now() + ms; ; await new Promise((r) => setTimeout(r, 200))) {
    try { return await f(); } catch (e) { if (Date.now() > end || e.statusCode !== 503) throw e; }
  }
};
let steps = 0;
const step = (name) => { steps++; console.log("ok", name); };

const me = await hub.whoAmI(auth);
assert.equal(me.name, user);
assert.equal(me.type, "user");
assert.ok(Array.isArray(me.orgs) && me.auth.accessToken.role);
await assert.rejects(hub.whoAmI({ hubUrl, accessToken: "hf_" + "x".repeat(34) }), (e) => e.statusCode === 401);
step("whoAmI");

const big = randomBytes(9_000_000), small = Buffer.from("plain text\n".repeat(9));
const odd = "dossier \u00e9t\u00e9/na me.txt"; // this client leaves # and % of a path as they are
for (const [type, name, isPrivate] of [["model", "js-m", false], ["dataset", "js-d", true]]) {
  const repo = { type, name: `${user}/${name}` };
  const at = { ...auth, repo };
  const made = await hub.createRepo({ ...at, private: isPrivate, license: "mit", files: [{ path: "start.txt", content: new Blob(["from the start"]) }] });
  assert.ok(made.repoUrl.endsWith(repo.name) && made.repoUrl.startsWith(hubUrl), made.repoUrl);
  await assert.rejects(hub.createRepo(at), (e) => e.statusCode === 409);
  assert.equal(await hub.repoExists({ ...at }), true);
  assert.equal(await hub.repoExists({ ...at, repo: { type, name: `${user}/nothing` } }), false);
  step(`${type} createRepo`);

  // In a public repository "large" goes by Xet where the client wants it, by LFS otherwise.
  for (const useXet of [false, true]) {
    const tag = useXet ? "xet" : "lfs";
    const data = Buffer.concat([Buffer.from(tag), big]);
    const r = await hub.uploadFiles({ ...at, useXet, commitTitle: "by " + tag, files: [{ path: `${tag}.bin`, content: new Blob([data]) }, { path: `${tag}/small.txt`, content: new Blob([small]) }] });
    assert.ok(r.commit.oid.length === 40 && r.commit.url.includes(repo.name));
    assert.deepEqual(r.hookOutput, "");
    const info = await until(() => hub.fileDownloadInfo({ ...at, path: `${tag}.bin` }));
    assert.equal(info.size, data.length);
    assert.ok(info.etag.includes(sha256(data)), info.etag);
    for (const xet of [true, false]) {
      const blob = await until(() => hub.downloadFile({ ...at, path: `${tag}.bin`, xet }));
      assert.equal(sha256(await bytes(blob)), sha256(data), `${tag} back, xet ${xet}`);
      assert.ok((await bytes(blob.slice(5_000_000, 5_000_100))).equals(data.subarray(5_000_000, 5_000_100)), "a slice");
    }
    assert.equal(sha256(await bytes(await until(() => hub.downloadFile({ ...at, path: `${tag}/small.txt` })))), sha256(small));
    step(`${type} uploadFiles ${tag}, downloadFile both ways`);
  }
  await hub.uploadFile({ ...at, file: { path: odd, content: new Blob(["odd"]) } });
  assert.equal((await bytes(await until(() => hub.downloadFile({ ...at, path: odd })))).toString(), "odd");
  await hub.uploadFile({ ...at, file: { path: "empty.txt", content: new Blob([]) } });
  assert.equal(await hub.downloadFile({ ...at, path: "nope" }), null);
  assert.equal(await hub.fileExists({ ...at, path: odd }), true);
  assert.equal(await hub.fileExists({ ...at, path: "nope" }), false);
  step(`${type} names, empty file, missing file`);

  const files = await all(hub.listFiles({ ...at, recursive: true, expand: true }));
  const by = Object.fromEntries(files.map((f) => [f.path, f]));
  assert.deepEqual(files.filter((f) => f.type === "file").map((f) => f.path).sort(),
    [".gitattributes", "README.md", odd, "empty.txt", "lfs.bin", "lfs/small.txt", "start.txt", "xet.bin", "xet/small.txt"].sort());
  assert.equal(by["lfs.bin"].lfs.oid, sha256(Buffer.concat([Buffer.from("lfs"), big])));
  assert.ok(by["start.txt"].lastCommit.id);
  const some = await hub.pathsInfo({ ...at, paths: [odd, "xet.bin", "gone"], expand: true });
  assert.deepEqual(some.map((f) => f.path).sort(), [odd, "xet.bin"].sort());
  step(`${type} listFiles, pathsInfo`);

  const commits = await all(hub.listCommits({ ...at }));
  assert.ok(commits.length >= 5 && commits.some((c) => c.title === "by xet") && commits[0].authors[0].username === user);
  assert.equal(await hub.countCommits(at), commits.length);
  step(`${type} listCommits, countCommits`);

  await hub.createBranch({ ...at, branch: "dev/js" });
  await hub.uploadFile({ ...at, branch: "dev/js", file: { path: "dev.txt", content: new Blob(["dev"]) } });
  assert.equal(await hub.fileExists({ ...at, path: "dev.txt", revision: "dev/js" }), true);
  assert.equal(await hub.fileExists({ ...at, path: "dev.txt" }), false);
  await hub.deleteBranch({ ...at, branch: "dev/js" });
  step(`${type} branches`);

  const parent = commits[0].oid;
  const c = await hub.commit({ ...at, title: "many", parentCommit: parent, operations: [
    { operation: "addOrUpdate", path: "a.txt", content: new Blob(["a"]) }, { operation: "delete", path: "start.txt" }] });
  assert.equal(c.commit.oid.length, 40);
  await assert.rejects(hub.commit({ ...at, title: "stale", parentCommit: parent, operations: [{ operation: "addOrUpdate", path: "b.txt", content: new Blob(["b"]) }] }),
    (e) => e.statusCode === 412 && e.message.includes("The branch was updated since you opened this page"));
  await hub.deleteFile({ ...at, path: "a.txt" });
  await hub.deleteFiles({ ...at, paths: ["lfs.bin", "lfs/small.txt"] });
  step(`${type} commit, stale parent, deleteFiles`);

  const info = type === "model" ? await hub.modelInfo({ ...auth, name: repo.name, additionalFields: ["sha", "tags"] }) : await hub.datasetInfo({ ...auth, name: repo.name, additionalFields: ["sha", "tags"] });
  assert.equal(info.name, repo.name);
  assert.equal(info.private, isPrivate);
  assert.ok(info.tags.includes("license:mit") && info.sha.length === 40);
  const listed = await all(type === "model" ? hub.listModels({ ...auth, search: { owner: user } }) : hub.listDatasets({ ...auth, search: { owner: user } }));
  assert.ok(listed.some((r) => r.name === repo.name));
  step(`${type} info, list`);

  const cacheDir = fs.mkdtempSync(path.join(os.tmpdir(), "ballast-js-"));
  const snap = await until(() => hub.snapshotDownload({ ...at, cacheDir }));
  assert.equal(sha256(fs.readFileSync(path.join(snap, "xet.bin"))), sha256(Buffer.concat([Buffer.from("xet"), big])));
  assert.equal(fs.readFileSync(path.join(snap, odd), "utf8"), "odd");
  fs.rmSync(cacheDir, { recursive: true });
  step(`${type} snapshotDownload`);

  await assert.rejects(hub.uploadFile({ ...at, isPullRequest: true, file: { path: "pr.txt", content: new Blob(["x"]) } }), (e) => e.message.includes("Pull requests are not offered"));
  await hub.checkRepoAccess(at);
  if (isPrivate) await assert.rejects(hub.checkRepoAccess({ hubUrl, repo }), (e) => e.statusCode === 401);
  await hub.deleteRepo(at);
  assert.equal(await hub.repoExists(at), false);
  step(`${type} pull request refused, deleteRepo`);
}
console.log("JS OK", steps);
