"""Times a training step of transformers' BLT on the GPU, in bfloat16 by autocast, and prints one line of JSON.

usage: peer.py FOLDER ROWS BYTES eager|compile
The patches are given, four bytes each, as in byteify's own measurement, so the patcher takes no part.
"""
import json
import sys
import time

import torch
from transformers import BltForCausalLM

folder, rows, length, mode = sys.argv[1], int(sys.argv[2]), int(sys.argv[3]), sys.argv[4]
BYTES_PER_PATCH = 4
STEPS = 10

model = BltForCausalLM.from_pretrained(folder, dtype=torch.float32).cuda()
del model.model.patcher
model.train()
forward = torch.compile(model) if mode == "compile" else model
optimizer = torch.optim.AdamW(model.parameters(), lr=1e-5, betas=(0.9, 0.95), weight_decay=0.1, fused=True)
generator = torch.Generator().manual_seed(1)
ids = torch.randint(101, 127, (rows, length), generator=generator).cuda()
patches = (length - 1 + BYTES_PER_PATCH - 1) // BYTES_PER_PATCH
lengths = torch.full((rows, patches + 1), BYTES_PER_PATCH)
lengths[:, 0] = 1
lengths[:, -1] = length - 1 - BYTES_PER_PATCH * (patches - 1)
lengths = lengths.cuda()

milliseconds = []
for step in range(STEPS + 2):
    torch.cuda.synchronize()
    begun = time.perf_counter()
    with torch.autocast("cuda", dtype=torch.bfloat16):
        loss = forward(ids, patch_lengths=lengths, labels=ids, use_cache=False).loss
    loss.backward()
    torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
    optimizer.step()
    optimizer.zero_grad()
    torch.cuda.synchronize()
    if step >= 2:
        milliseconds.append((time.perf_counter() - begun) * 1000)
median = sorted(milliseconds)[len(milliseconds) // 2]
print(json.dumps({
    "mode": mode,
    "step_ms": milliseconds,
    "bytes_per_second": rows * (length - 1) / (median / 1000),
    "peak_bytes": torch.cuda.max_memory_allocated(),
    "torch": torch.__version__,
}))
