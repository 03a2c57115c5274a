"""Fills BLT folders that hold a config.json alone with random weights, and prints transformers' logits of one sequence of ids for each.

The threshold becomes the median of the patcher's entropies, so that the patches have several lengths.

usage: blt_random.py IDS.json FOLDER...
"""
import json
import sys

import torch
from transformers import BltConfig, BltForCausalLM

ids = torch.tensor([json.load(open(sys.argv[1]))])
found = []
for folder in sys.argv[2:]:
    config = BltConfig.from_pretrained(folder)
    torch.manual_seed(7)
    model = BltForCausalLM(config).eval()
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.copy_(torch.randn_like(parameter) * 0.2 + (1 if parameter.dim() == 1 else 0))
        entropies = model.model.patcher(ids)[0][0]
        model.config.patching_threshold = entropies[1:-1].median().item() + 1e-4
        model.save_pretrained(folder)
        found.append(model(ids, use_cache=False).logits[0].flatten().tolist())
print(json.dumps(found))
