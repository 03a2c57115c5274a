"""Scores the items on each line of stdin with transformers, and prints {"ms", "nats"}.

usage: peer.py FOLDER THREADS
Each continuation is read with its whole prompt, as harnesses do; its likelihood is the sum over its bytes.
"""
import json
import sys
import time

import torch
from transformers import BltForCausalLM

folder, threads = sys.argv[1], int(sys.argv[2])
torch.set_num_threads(threads)
model = BltForCausalLM.from_pretrained(folder, dtype=torch.float32).eval()


def nats_of(before, text):
    ids = torch.tensor([[1] + [byte + 4 for byte in before + text]])
    with torch.no_grad():
        logits = model(input_ids=ids, use_cache=False).logits[0, :-1].float()
    losses = torch.nn.functional.cross_entropy(logits, ids[0, 1:], reduction="none")
    return losses[len(before) :].sum().item()


print("READY", flush=True)
for line in sys.stdin:
    items = json.loads(line)
    begun = time.perf_counter()
    nats = [
        nats_of((item["shared"] + item["prompt"]).encode(), text.encode())
        for item in items
        for text in item["continuations"]
    ]
    print(json.dumps({"ms": (time.perf_counter() - begun) * 1000, "nats": nats}), flush=True)
