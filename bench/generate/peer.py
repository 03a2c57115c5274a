"""Generates text with the BLT of transformers, which computes the whole text again for each byte, driven by lines of JSON on stdin.

usage: peer.py FOLDER THREADS
{"do": "write", "ids", "bytes"} generates greedily; {"do": "bandwidth"} measures the memory bandwidth.
"""
import json
import sys
import time

import torch
from transformers import BltForCausalLM

folder, threads = sys.argv[1], int(sys.argv[2])
torch.set_num_threads(threads)
model = BltForCausalLM.from_pretrained(folder, dtype=torch.float32).eval()


class Stopwatch:
    """A streamer that records the time of each token. transformers passes it the prompt first."""

    def __init__(self):
        self.has_prompt = False
        self.last = time.perf_counter()
        self.ms = []

    def put(self, _):
        if self.has_prompt:
            now = time.perf_counter()
            self.ms.append((now - self.last) * 1000)
            self.last = now
        self.has_prompt = True

    def end(self):
        pass


def write(ids, bytes):
    watch = Stopwatch()
    with torch.no_grad():
        out = model.generate(
            torch.tensor([ids]),
            max_new_tokens=bytes,
            do_sample=False,
            use_cache=False,
            # byteify never generates BOE, BOS and the delimiter.
            suppress_tokens=[0, 1, 3],
            streamer=watch,
        )
    written = [token for token in out[0, len(ids) :].tolist() if token > 3]
    return {"ms": watch.ms, "sizes": [1] * len(watch.ms), "ids": written}


MEMORY = 2**26


def bandwidth():
    numbers = torch.ones(MEMORY)
    seconds = []
    for _ in range(6):
        begun = time.perf_counter()
        numbers.sum()
        seconds.append(time.perf_counter() - begun)
    return {"bytes_per_second": MEMORY * 4 / min(seconds)}


print("READY", flush=True)
for line in sys.stdin:
    request = json.loads(line)
    command = {"write": write, "bandwidth": bandwidth}[request.pop("do")]
    print(json.dumps(command(**request)), flush=True)
