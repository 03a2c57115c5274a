"""Encodes texts by the Rust library tokenizers, special tokens that are written in them as text.

usage: encode.py FILE
FILE is a JSON list of {tokenizer, texts}: the contents of a tokenizer.json, and texts. Prints of each the ids of its texts, or the error.
"""
import json
import sys

from tokenizers import Tokenizer


def encoded(case):
    try:
        tokenizer = Tokenizer.from_str(json.dumps(case["tokenizer"]))
        tokenizer.encode_special_tokens = True
        return {"ids": [tokenizer.encode(text, add_special_tokens=False).ids for text in case["texts"]]}
    except Exception as error:
        return {"error": str(error)}


with open(sys.argv[1]) as file:
    print(json.dumps([encoded(case) for case in json.load(file)]))
