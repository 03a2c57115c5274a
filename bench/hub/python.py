"""Downloads a model with Python's huggingface_hub and prints what ours.mjs prints. Run: python python.py ORG/NAME"""
import json
import resource
import sys
import time

from huggingface_hub import snapshot_download

began = time.monotonic()
snapshot_download(sys.argv[1])
seconds = time.monotonic() - began
print(json.dumps({"seconds": seconds, "peak_bytes": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024}))
