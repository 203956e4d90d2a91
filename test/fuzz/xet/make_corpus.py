#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Writes the corpora of this room's fuzz targets (deterministic; needs the lz4 command). Run from anywhere."""
import os, random, struct, subprocess

HERE = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "corpus")
rnd = random.Random(20)


def put(target, name, data):
    d = os.path.join(HERE, target)
    os.makedirs(d, exist_ok=True)
    with open(os.path.join(d, name), "wb") as f:
        f.write(data)


def lz4(data, *opts):
    return subprocess.run(["lz4", "-c", "-z", *opts], input=data, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, check=True).stdout


def bg4(b):
    return b"".join(b[i::4] for i in range(4))


def u24(n):
    return struct.pack("<I", n)[:3]


def chunk(raw, scheme):
    body = raw if scheme == 0 else lz4(raw) if scheme == 1 else lz4(bg4(raw))
    return b"\0" + u24(len(body)) + bytes([scheme]) + u24(len(raw)) + body


text = b"weights and biases, " * 40
floats = b"".join(struct.pack("<f", rnd.gauss(0, 0.02)) for _ in range(300))
noise = bytes(rnd.randrange(256) for _ in range(700))

# xorb
good = chunk(noise, 0) + chunk(text, 1) + chunk(floats, 2)
put("xet_xorb", "good", good)
put("xet_xorb", "one_byte", chunk(b"a", 0))
put("xet_xorb", "footer", good + b"XETBLOB\1" + bytes(32) + b"XBLBHSH\0" + struct.pack("<I", 3) + bytes(96) + struct.pack("<I", 148))
put("xet_xorb", "footer_v0", good + b"XETBLOB\0" + bytes(60))
put("xet_xorb", "cut", good[:-3])
put("xet_xorb", "empty_chunk", b"\0" * 8)
put("xet_xorb", "wrong_scheme", good[:4] + b"\1" + good[5:])
put("xet_xorb", "bomb", b"\0" + u24(0) + b"\1" + u24(131072) + lz4(bytes(1 << 20)))

# shard
TAG = b"HFRepoMetaData\0" + bytes([85, 105, 103, 69, 106, 123, 129, 87, 131, 165, 189, 217, 92, 205, 209, 74, 169])
END = b"\xff" * 32 + bytes(16)
H1, H2 = bytes(range(32)), bytes(range(32, 64))


def shard(files, xorbs, footer=False, fsize=0):
    b = TAG + struct.pack("<QQ", 2, fsize)
    for n, ranges, sha in files:
        b += H1 + struct.pack("<IIQ", (ranges << 31) | (sha << 30), n, 0)
        b += b"".join(H2 + struct.pack("<IIII", 0, 100, i, i + 1) for i in range(n))
        b += b"".join(H1 + bytes(16) for i in range(n * ranges)) + (H2 + bytes(16)) * sha
    b += END
    xo = len(b)
    for n in xorbs:
        b += H2 + struct.pack("<IIII", 0, n, 100 * n, 0) + b"".join(H1 + struct.pack("<IIII", 100 * i, 100, 0, 0) for i in range(n))
    b += END
    if footer:
        at = len(b)
        b += struct.pack("<QQQ", 1, 48, xo) + struct.pack("<Q", at) + struct.pack("<QQQQQ", 0, at, 0, at, 0) + bytes(32)
        b += struct.pack("<QQ", 1000, 2000) + bytes(48 + 24) + struct.pack("<Q", at)
    return b


put("xet_shard", "empty", shard([], []))
put("xet_shard", "hf_xet", shard([(3, 1, 1), (1, 1, 1)], [4]))
put("xet_shard", "js", shard([(2, 1, 1)], [3, 1], True, 200))
put("xet_shard", "dedup_reply", shard([], [5, 2], True, 200))
put("xet_shard", "no_ranges", shard([(2, 0, 0)], []))
put("xet_shard", "cut", shard([(3, 1, 1)], [4])[:-40])
put("xet_shard", "huge_count", TAG + struct.pack("<QQ", 2, 0) + H1 + struct.pack("<IIQ", 3 << 30, 0xFFFFFFFF, 0) + END + END)

# chunker programs: step, then [op, arg] pairs
put("xet_chunker", "noise", bytes([0] + [0x72, 255] * 14))
put("xet_chunker", "runs", bytes([200] + [0x70, 0, 0x70, 255] * 8))
put("xet_chunker", "windows", bytes([31] + [0x52, 254, 0x01, 0] * 60))
put("xet_chunker", "window_flood", bytes([0] + [0x01, 0] * 2000))
put("xet_chunker", "near_min", bytes([77] + [0x52, 253, 0x02, 63, 0x01, 0, 0x02, 1, 0x01, 0, 0x72, 250] * 12))
put("xet_chunker", "near_max", bytes([254] + [0x70, 255, 0x70, 255, 0x70, 255, 0x60, 254, 0x02, 60, 0x01, 0] * 5))

# lz4 and bg4
for i, opts in enumerate([(), ("-BD",), ("-BX",), ("-B4", "-BD", "--content-size"), ("--no-frame-crc",), ("-9", "-BI")]):
    put("xet_lz4bg4", "frame%d" % i, u24(len(text)) + lz4(text, *opts))
put("xet_lz4bg4", "floats", u24(len(floats)) + lz4(bg4(floats)))
put("xet_lz4bg4", "noise", u24(len(noise)) + lz4(noise))
put("xet_lz4bg4", "short", u24(len(text) + 1) + lz4(text))
put("xet_lz4bg4", "two_frames", u24(2 * len(text)) + lz4(text) * 2)
put("xet_lz4bg4", "skippable", u24(len(text)) + b"\x50\x2a\x4d\x18\4\0\0\0abcd" + lz4(text))
put("xet_lz4bg4", "linked", u24(131072) + lz4((text * 200)[:131072], "-B4", "-BD", "-BX"))
