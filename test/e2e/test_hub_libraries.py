# SPDX-License-Identifier: Apache-2.0
"""transformers and datasets, unchanged, against a hub."""
import json

from hub_helpers import settled


def make_tokenizer(path):
    path.mkdir()
    vocab = {"[UNK]": 0, "[PAD]": 1, "hello": 2, "world": 3}
    (path / "tokenizer.json").write_text(json.dumps({
        "version": "1.0", "truncation": None, "padding": None, "added_tokens": [], "normalizer": None, "pre_tokenizer": {"type": "Whitespace"},
        "post_processor": None, "decoder": None, "model": {"type": "WordLevel", "vocab": vocab, "unk_token": "[UNK]"}}))
    (path / "tokenizer_config.json").write_text(json.dumps({"tokenizer_class": "PreTrainedTokenizerFast", "unk_token": "[UNK]", "pad_token": "[PAD]"}))
    (path / "config.json").write_text(json.dumps({"model_type": "bert", "vocab_size": 4, "hidden_size": 8, "num_hidden_layers": 1, "num_attention_heads": 1, "intermediate_size": 8}))


def test_transformers_from_pretrained(server, tmp_path):
    make_tokenizer(tmp_path / "tok")
    server.hf("alice", "upload", "alice/tok", str(tmp_path / "tok"), ".", "--private")
    settled(server, "alice/tok")
    code = """
from transformers import AutoConfig, AutoTokenizer
c = AutoConfig.from_pretrained("alice/tok")
t = AutoTokenizer.from_pretrained("alice/tok")
print("TRANSFORMERS", c.model_type, t("hello world").input_ids)
"""
    assert "TRANSFORMERS bert [2, 3]" in server.python("alice", code, DISABLE_SAFETENSORS_CONVERSION="1").stdout
    # the second run finds the files in its cache
    assert "TRANSFORMERS bert [2, 3]" in server.python("alice", code, DISABLE_SAFETENSORS_CONVERSION="1").stdout


def test_datasets_load_and_push(server, tmp_path):
    src = tmp_path / "ds"
    src.mkdir()
    (src / "README.md").write_text("---\nlicense: mit\n---\n# ds\n")
    (src / "train.jsonl").write_text("".join(json.dumps({"text": "row %d" % i, "n": i}) + "\n" for i in range(50)))
    server.hf("alice", "upload", "alice/ds", str(src), ".", "--repo-type", "dataset")
    code = """
from datasets import Dataset, load_dataset
d = load_dataset("alice/ds", split="train")
assert d.num_rows == 50 and d[7] == {"text": "row 7", "n": 7}
s = load_dataset("alice/ds", split="train", streaming=True)
assert next(iter(s))["text"] == "row 0"
Dataset.from_dict({"x": list(range(1000))}).push_to_hub("alice/pushed", private=True)
p = load_dataset("alice/pushed", split="train")
print("DATASETS", p.num_rows, p[999])
"""
    assert "DATASETS 1000 {'x': 999}" in server.python("alice", code).stdout
