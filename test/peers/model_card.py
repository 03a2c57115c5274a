"""What huggingface_hub makes of model cards: their metadata as Python reads it, validated, and written and read once more."""

import json
import sys

import yaml
from huggingface_hub import ModelCard, metadata_load

cards = {}
for path in sys.argv[1:]:
    card = ModelCard.load(path)
    with open(path, encoding="utf-8") as file:
        front = file.read().split("---\n")[1]
    cards[path] = {
        "data": card.data.to_dict(),
        "metadata": metadata_load(path),
        # YAML 1.1, which Python's own reader is of.
        "yaml": yaml.safe_load(front),
        "again": ModelCard(str(card)).data.to_dict(),
        "text": card.text,
    }
print(json.dumps(cards))
