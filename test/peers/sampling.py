"""Prints the probabilities that transformers' logits processors leave, in the order of its `generate`.

usage: sampling.py FILE
FILE holds a JSON list of {logits, present, sampling}, the logits with null for what cannot be drawn.
"""
import json
import sys

import torch
from transformers.generation.logits_process import (
    MinPLogitsWarper,
    RepetitionPenaltyLogitsProcessor,
    TemperatureLogitsWarper,
    TopKLogitsWarper,
    TopPLogitsWarper,
)


def probabilities(case):
    sampling = case["sampling"]
    logits = [float("-inf") if logit is None else logit for logit in case["logits"]]
    scores = torch.tensor([logits], dtype=torch.float64)
    ids = torch.tensor([case["present"]])
    scores = RepetitionPenaltyLogitsProcessor(float(sampling["repetitionPenalty"]))(ids, scores)
    scores = TemperatureLogitsWarper(float(sampling["temperature"]))(ids, scores)
    if sampling["topK"] > 0:
        scores = TopKLogitsWarper(sampling["topK"])(ids, scores)
    if sampling["topP"] < 1:
        scores = TopPLogitsWarper(float(sampling["topP"]))(ids, scores)
    if sampling["minP"] > 0:
        scores = MinPLogitsWarper(float(sampling["minP"]))(ids, scores)
    return torch.softmax(scores, -1)[0].tolist()


with open(sys.argv[1]) as file:
    print(json.dumps([probabilities(case) for case in json.load(file)]))
