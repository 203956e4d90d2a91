#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""llamacpp_server.py MODEL.gguf --port N — llama.cpp's own HTTP server out of the wheel `xllamacpp`.

Ballast starts one such process per replica (see docs/operations/engines.md). The model is a local file that was
reviewed and whose hash was verified; nothing is fetched. Defaults follow measurements:
  --threads  cores - 1: with all cores busy the threads spin at each barrier while one of them is preempted
  --ubatch   32: larger prefill batches take another attention kernel, and an answer continued on a second replica
             is then not always token-exact
SIGTERM ends the process at once: Ballast has drained the replica before, and the orderly destructor would wait for
generations whose clients are gone.
"""
import argparse
import os
import signal
import sys
import threading


def arguments():
    ap = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    ap.add_argument("model")
    ap.add_argument("--host", default="127.0.0.1")
    ap.add_argument("--port", type=int, required=True)
    ap.add_argument("--alias", default="")
    ap.add_argument("--threads", type=int, default=0, help="0 = cores - 1")
    ap.add_argument("--ctx", type=int, default=0, help="tokens over all slots; 0 = 4096 per slot, at most what the model was trained on")
    ap.add_argument("--parallel", type=int, default=2, help="slots: requests answered at the same time")
    ap.add_argument("--ubatch", type=int, default=32)
    ap.add_argument("--embedding", action="store_true", help="also answer /v1/embeddings (mean of the last layer)")
    ap.add_argument("--gpu-layers", type=int, default=0)
    return ap.parse_args()


def main():
    a = arguments()
    # The kernel's default action, not a Python handler: that one would wait until the model is loaded.
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    if not os.path.isfile(a.model):
        sys.exit("llamacpp_server: %s: no such file" % a.model)
    import xllamacpp

    p = xllamacpp.CommonParams()
    p.model.path = a.model
    p.hostnames = [a.host]
    p.port = a.port
    p.n_parallel = max(1, a.parallel)
    p.n_ctx = a.ctx or 4096 * p.n_parallel
    p.n_ubatch = max(1, a.ubatch)
    p.cpuparams.n_threads = a.threads or max(1, len(os.sched_getaffinity(0)) - 1)
    p.n_gpu_layers = a.gpu_layers
    p.embedding = a.embedding
    p.endpoint_metrics = p.endpoint_slots = p.endpoint_props = True
    p.use_jinja = True
    p.warmup = True
    if a.alias:
        p.model_alias = {a.alias}
    server = xllamacpp.Server(p)
    print("llamacpp_server: ready at %s" % server.listening_address, flush=True)
    threading.Event().wait()


if __name__ == "__main__":
    main()
