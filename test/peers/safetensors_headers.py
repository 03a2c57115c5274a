"""Says of every header given as JSON lines of {name: [header, data bytes]} whether Python's safetensors reads it, and which types it knows.

usage: safetensors_headers.py HEADERS.json
"""
import json
import re
import struct
import sys

from safetensors import deserialize


def refusal(header, size):
    text = json.dumps(header).encode()
    try:
        deserialize(struct.pack("<Q", len(text)) + text + bytes(size))
        return None
    except Exception as error:
        return str(error)


unknown = refusal({"t": {"dtype": "NONE", "shape": [1], "data_offsets": [0, 1]}}, 1)
types = re.findall(r"`(\w+)`", unknown.split("expected")[1])
headers = json.load(open(sys.argv[1]))
print(json.dumps({"types": types, "refusals": [refusal(header, size) for header, size in headers]}))
