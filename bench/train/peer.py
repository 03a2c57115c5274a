"""Runs a BLT training step of transformers for each line on stdin. With the mode sgemm, each line times a matrix product instead.

usage: peer.py FOLDER ROWS BYTES BYTES_PER_PATCH THREADS eager|compile|sgemm
FOLDER/ids.bin has the ids of the rows as int32.
"""
import json
import resource
import sys
import time

import numpy as np
import torch

folder, rows, length, bytes_per_patch, threads, mode = sys.argv[1], *map(int, sys.argv[2:6]), sys.argv[6]
torch.set_num_threads(threads)


def sgemm_gflops(size=2048, repeats=4):
    a = torch.rand(size, size)
    times = []
    for _ in range(repeats):
        begun = time.perf_counter()
        a @ a
        times.append(time.perf_counter() - begun)
    return 2 * size**3 / min(times) / 1e9


def open_model():
    from transformers import BltForCausalLM

    model = BltForCausalLM.from_pretrained(folder, dtype=torch.float32)
    # The patcher takes no part: the patches are given.
    del model.model.patcher
    model.train()
    return model


def run():
    if mode != "sgemm":
        model = open_model()
        ids = torch.from_numpy(np.fromfile(f"{folder}/ids.bin", dtype=np.int32).reshape(rows, length)).long()
        patches = (length - 1 + bytes_per_patch - 1) // bytes_per_patch
        lengths = torch.full((rows, patches + 1), bytes_per_patch)
        lengths[:, 0] = 1
        lengths[:, -1] = length - 1 - bytes_per_patch * (patches - 1)
        optimizer = torch.optim.AdamW(model.parameters(), lr=1e-5, betas=(0.9, 0.95), weight_decay=0.1)
        forward = torch.compile(model) if mode == "compile" else model
    print("READY", flush=True)
    for line in sys.stdin:
        if mode == "sgemm":
            print(json.dumps({"gflops": sgemm_gflops()}), flush=True)
            continue
        begun = time.perf_counter()
        loss = forward(ids, patch_lengths=lengths, labels=ids, use_cache=False).loss
        loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        optimizer.zero_grad()
        ms = (time.perf_counter() - begun) * 1000
        rss = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
        print(json.dumps({"ms": ms, "loss": loss.item(), "peak_rss_bytes": rss}), flush=True)


run()
