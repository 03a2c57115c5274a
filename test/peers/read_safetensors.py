"""Reads every tensor of a safetensors file and writes it again. Prints sums; F32 sums of everything that is a float.

usage: read_safetensors.py IN OUT
"""
import json
import sys

from safetensors import safe_open
from safetensors.torch import save_file

tensors = {}
with safe_open(sys.argv[1], "pt") as file:
    metadata = file.metadata()
    for name in file.keys():
        tensors[name] = file.get_tensor(name)
save_file(tensors, sys.argv[2], metadata={"written": "by python"})
print(
    json.dumps(
        {
            "metadata": metadata,
            "tensors": {name: [str(t.dtype), list(t.shape), t.double().sum().item()] for name, t in tensors.items()},
        }
    )
)
