"""Loss and gradients that PyTorch has for a Llama on documents, each read by itself.

usage: llama_gradients.py FOLDER DOCUMENTS.json
DOCUMENTS holds lists of token ids; each token after the first is predicted. Prints {loss, gradients}: the sum of the losses in nats, and for each
parameter by name its gradient's norm and its product with a fixed direction.
"""
import json
import sys

import torch
from transformers import LlamaForCausalLM

model = LlamaForCausalLM.from_pretrained(sys.argv[1], dtype=torch.float32)
loss = torch.zeros(())
for ids in json.load(open(sys.argv[2])):
    ids = torch.tensor([ids])
    logits = model(ids).logits[0, :-1]
    loss = loss + torch.nn.functional.cross_entropy(logits, ids[0, 1:], reduction="sum")
loss.backward()


def direction(count):
    """Numbers that TypeScript computes alike."""
    return torch.tensor([(i * 7919 % 1009) / 1009 - 0.5 for i in range(count)], dtype=torch.float64)


def summary(parameter):
    gradient = parameter.grad.double().flatten()
    return [gradient.norm().item(), (gradient @ direction(gradient.numel())).item()]


print(json.dumps({"loss": loss.item(), "gradients": {name: summary(p) for name, p in model.named_parameters()}}))
