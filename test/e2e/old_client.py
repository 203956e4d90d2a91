# SPDX-License-Identifier: Apache-2.0
"""What a person does with huggingface_hub, written so that every version since 0.11 can run it: USER WORKDIR.

Run by test_hub_old_clients.py in a virtual environment that holds one old version. A step that the version cannot do (the method
came later) is left out by name; any other exception fails the run. The last line is "VERSION: N steps".
"""
import hashlib
import inspect
import json
import pathlib
import random
import struct
import sys
import time
import traceback

import huggingface_hub
from huggingface_hub import CommitOperationAdd, CommitOperationDelete, HfApi, hf_hub_download, snapshot_download
from huggingface_hub.utils import EntryNotFoundError, RepositoryNotFoundError, RevisionNotFoundError

VERSION = huggingface_hub.__version__
user, work = sys.argv[1], pathlib.Path(sys.argv[2])
api = HfApi()
steps, failed = [], []
rnd = random.Random(VERSION)
header = json.dumps({"t": {"dtype": "U8", "shape": [1000], "data_offsets": [0, 1000]}}).encode()
ODD = "sub dir/\xe4 #1%.txt"
FILES = {"README.md": b"---\nlicense: mit\ntags: [x]\n---\n# Hello\n", "config.json": b'{"model_type": "bert"}', "big.bin": rnd.randbytes(12_000_000),
         "model.safetensors": struct.pack("<Q", len(header)) + header + rnd.randbytes(1000), ODD: b"odd name\n", "empty.txt": b"", "sub dir/second.bin": rnd.randbytes(300_000)}


def step(f):
    steps.append(f)
    return f


def has(f, parameter):
    return parameter in inspect.signature(f).parameters


def raises(exception, f, text=""):
    try:
        f()
    except exception as e:
        assert text in str(e), str(e)
    else:
        raise AssertionError("no " + exception.__name__)


def whole(folder):
    for name, data in FILES.items():
        assert (pathlib.Path(folder) / name).read_bytes() == data, name


@step
def who(c):
    assert api.whoami()["name"] == user


@step
def create(c):
    assert str(api.create_repo(c.repo, repo_type=c.kind, private=c.private)).endswith(c.repo)
    api.create_repo(c.repo, repo_type=c.kind, private=c.private, exist_ok=True)
    raises(Exception, lambda: api.create_repo(c.repo, repo_type=c.kind), "409")
    assert api.repo_info(c.repo, repo_type=c.kind).private is c.private


@step
def upload(c):
    api.upload_folder(repo_id=c.repo, folder_path=str(c.src), path_in_repo="", repo_type=c.kind, commit_message="all")
    api.upload_file(path_or_fileobj=b"abc", path_in_repo="abc.txt", repo_id=c.repo, repo_type=c.kind)
    with open(c.src / "big.bin", "rb") as f:
        api.upload_file(path_or_fileobj=f, path_in_repo="copy.bin", repo_id=c.repo, repo_type=c.kind)
    assert set(api.list_repo_files(c.repo, repo_type=c.kind)) == set(FILES) | {"abc.txt", "copy.bin", ".gitattributes"}


@step
def refs(c):
    api.create_tag(c.repo, tag="v1", tag_message="m", repo_type=c.kind)
    if hasattr(api, "create_branch"):
        api.create_branch(c.repo, branch="dev/x", repo_type=c.kind)
        api.upload_file(path_or_fileobj=b"dev", path_in_repo="dev.txt", repo_id=c.repo, repo_type=c.kind, revision="dev/x")
        assert "dev.txt" in api.list_repo_files(c.repo, repo_type=c.kind, revision="dev/x") and "dev.txt" not in api.list_repo_files(c.repo, repo_type=c.kind)
        assert pathlib.Path(hf_hub_download(c.repo, "dev.txt", repo_type=c.kind, revision="dev/x")).read_bytes() == b"dev"
    if hasattr(api, "list_repo_refs"):
        r = api.list_repo_refs(c.repo, repo_type=c.kind)
        assert {b.name for b in r.branches} == {"main", "dev/x"} and [t.name for t in r.tags] == ["v1"]


@step
def download(c):
    whole(snapshot_download(c.repo, repo_type=c.kind))
    if has(snapshot_download, "local_dir"):
        whole(snapshot_download(c.repo, repo_type=c.kind, local_dir=str(c.work / "local")))
    d = snapshot_download(c.repo, repo_type=c.kind, revision="v1", allow_patterns=["*.json"], cache_dir=str(c.work / "tag"))
    assert [p.name for p in pathlib.Path(d).rglob("*.json")] == ["config.json"]
    assert pathlib.Path(hf_hub_download(c.repo, ODD, repo_type=c.kind, cache_dir=str(c.work / "odd"))).read_bytes() == FILES[ODD]


@step
def resume(c):
    """Half of a blob lies in the cache, as an interrupted run leaves it."""
    blobs = c.work / "half" / ("%ss--%s" % (c.kind, c.repo.replace("/", "--"))) / "blobs"
    blobs.mkdir(parents=True)
    (blobs / (hashlib.sha256(FILES["big.bin"]).hexdigest() + ".incomplete")).write_bytes(FILES["big.bin"][:5_000_000])
    more = {"resume_download": True} if has(hf_hub_download, "resume_download") else {}
    assert pathlib.Path(hf_hub_download(c.repo, "big.bin", repo_type=c.kind, cache_dir=str(c.work / "half"), **more)).read_bytes() == FILES["big.bin"]


@step
def typed_errors(c):
    raises(EntryNotFoundError, lambda: hf_hub_download(c.repo, "nope", repo_type=c.kind))
    raises(RevisionNotFoundError, lambda: hf_hub_download(c.repo, "config.json", revision="nope", repo_type=c.kind))
    raises(RepositoryNotFoundError, lambda: hf_hub_download(user + "/nope", "x", repo_type=c.kind))


@step
def information(c):
    sibling = {x.rfilename: x for x in api.repo_info(c.repo, repo_type=c.kind, files_metadata=True).siblings}["big.bin"]
    sha = sibling.lfs["sha256"] if isinstance(sibling.lfs, dict) else sibling.lfs.sha256
    assert sibling.size == 12_000_000 and sha == hashlib.sha256(FILES["big.bin"]).hexdigest()
    lister = api.list_models if c.kind == "model" else api.list_datasets
    assert c.repo in [m.id for m in lister(author=user, full=True)]
    if hasattr(api, "list_repo_commits"):
        assert len(api.list_repo_commits(c.repo, repo_type=c.kind)) >= 3
    if hasattr(api, "list_repo_tree"):
        assert any(getattr(e, "lfs", None) for e in api.list_repo_tree(c.repo, repo_type=c.kind, recursive=True, expand=True))
    if hasattr(api, "get_paths_info"):
        assert len(api.get_paths_info(c.repo, ["abc.txt", "big.bin", "no"], repo_type=c.kind)) == 2
    if hasattr(api, "file_exists"):
        assert api.file_exists(c.repo, "abc.txt", repo_type=c.kind) and not api.file_exists(c.repo, "zz", repo_type=c.kind)


@step
def file_system(c):
    if not hasattr(huggingface_hub, "HfFileSystem"):
        return
    fs, root = huggingface_hub.HfFileSystem(), ("datasets/" if c.kind == "dataset" else "") + c.repo
    assert root + "/big.bin" in fs.glob(root + "/*.bin")
    with fs.open(root + "/big.bin", "rb") as f:
        f.seek(1000)
        assert f.read(100) == FILES["big.bin"][1000:1100]
    with fs.open(root + "/fs.txt", "w") as f:
        f.write("by fs")
    assert fs.cat_file(root + "/fs.txt") == b"by fs"


@step
def card(c):
    """RepoCard.validate of 1.x and older asks a host that cannot be changed, so the card is sent as a file."""
    api.upload_file(path_or_fileobj=FILES["README.md"].replace(b"[x]", b"[y]"), path_in_repo="README.md", repo_id=c.repo, repo_type=c.kind)
    kind = huggingface_hub.ModelCard if c.kind == "model" else huggingface_hub.DatasetCard
    assert "y" in kind.load(c.repo).data.tags and "y" in api.repo_info(c.repo, repo_type=c.kind).tags


@step
def commit(c):
    head = api.repo_info(c.repo, repo_type=c.kind).sha
    operations = [CommitOperationAdd("n.txt", b"n"), CommitOperationDelete("copy.bin"), CommitOperationDelete("sub dir/")]
    copied = hasattr(huggingface_hub, "CommitOperationCopy")
    if copied:
        operations.append(huggingface_hub.CommitOperationCopy("big.bin", "big2.bin"))
    api.create_commit(c.repo, operations=operations, commit_message="c", parent_commit=head, repo_type=c.kind)
    files = api.list_repo_files(c.repo, repo_type=c.kind)
    assert "n.txt" in files and "copy.bin" not in files and ("big2.bin" in files) is copied and not [f for f in files if f.startswith("sub dir")], files
    stale = lambda: api.create_commit(c.repo, operations=[CommitOperationAdd("m.txt", b"n")], commit_message="c", parent_commit=head, repo_type=c.kind)
    raises(Exception, stale, "412")
    pr = lambda: api.upload_file(path_or_fileobj=b"pr", path_in_repo="pr.txt", repo_id=c.repo, repo_type=c.kind, create_pr=True)
    raises(Exception, pr, "Pull requests are not offered")


@step
def settings(c):
    if hasattr(api, "update_repo_settings") and has(api.update_repo_settings, "private"):
        api.update_repo_settings(c.repo, private=not c.private, repo_type=c.kind)
    else:
        api.update_repo_visibility(c.repo, private=not c.private, repo_type=c.kind)
    assert api.repo_info(c.repo, repo_type=c.kind).private is (not c.private)


@step
def end(c):
    if hasattr(api, "delete_branch"):
        api.delete_branch(c.repo, branch="dev/x", repo_type=c.kind)
    api.delete_tag(c.repo, tag="v1", repo_type=c.kind)
    api.move_repo(c.repo, c.repo + "-moved", repo_type=c.kind)
    assert api.repo_info(c.repo, repo_type=c.kind).id == c.repo + "-moved"
    api.delete_repo(c.repo + "-moved", repo_type=c.kind)
    raises(RepositoryNotFoundError, lambda: api.repo_info(c.repo + "-moved", repo_type=c.kind))


class Case:
    pass


for kind, private in (("model", False), ("dataset", True)):
    case = Case()
    case.kind, case.private, case.repo, case.work = kind, private, "%s/%s-%s" % (user, kind, VERSION.replace(".", "-")), work / kind
    case.src = case.work / "src"
    (case.src / "sub dir").mkdir(parents=True)
    for name, data in FILES.items():
        (case.src / name).write_bytes(data)
    for f in steps:
        began = time.time()
        try:
            f(case)
        except BaseException:
            failed.append("%s %s" % (kind, f.__name__))
            traceback.print_exc()
        print("%-8s %-12s %.2f s" % (kind, f.__name__, time.time() - began), flush=True)
print("%s: %s" % (VERSION, "failed: " + ", ".join(failed) if failed else "%d steps" % (2 * len(steps))))
sys.exit(bool(failed))
