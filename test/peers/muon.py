"""Prints a matrix after each of some steps of torch.optim.Muon, one flat list a step.

usage: muon.py FILE
FILE holds JSON: {value, gradients, rate, weightDecay}, matrices as lists of rows.
"""
import json
import sys

import torch

with open(sys.argv[1]) as file:
    case = json.load(file)
parameter = torch.nn.Parameter(torch.tensor(case["value"]))
optimizer = torch.optim.Muon([parameter], lr=case["rate"], weight_decay=case["weightDecay"])
values = []
for gradient in case["gradients"]:
    parameter.grad = torch.tensor(gradient)
    optimizer.step()
    values.append(parameter.detach().flatten().tolist())
print(json.dumps(values))
