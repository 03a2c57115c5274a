"""Runs lm_eval's command line with a model and prints the scores of its tasks.

usage: harness.py TASKS_FOLDER OUT_FOLDER MODEL MODEL_ARGS TASK...
"""
import contextlib
import glob
import io
import json
import os
import runpy
import sys

folder, out, model, arguments, *tasks = sys.argv[1:]
os.environ["HF_DATASETS_OFFLINE"] = "1"
os.environ["HF_DATASETS_CACHE"] = os.path.join(out, "datasets")

if model == "hf":
    # The harness generates with a cache, with which transformers 5 cannot run a BLT.
    import transformers

    generate = transformers.BltForCausalLM.generate
    transformers.BltForCausalLM.generate = lambda self, *given, **named: generate(
        self, *given, **{**named, "use_cache": False}
    )

sys.argv = ["lm_eval", "run", "--model", model, "--model_args", arguments, "--tasks", *tasks]
# transformers pads the shorter rows of a batch, and patches them as if the padding were text.
batch = "1" if model == "hf" else "4"
sys.argv += ["--include_path", folder, "--output_path", out, "--batch_size", batch, "--device", "cpu"]
with contextlib.redirect_stdout(io.StringIO()), contextlib.suppress(SystemExit):
    runpy.run_module("lm_eval", run_name="__main__")
[path] = glob.glob(os.path.join(out, "**", "results_*.json"), recursive=True)
with open(path, encoding="utf-8") as file:
    print(json.dumps(json.load(file)["results"]))
