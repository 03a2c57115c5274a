"""Renders conversations by transformers' AutoTokenizer of a folder.

usage: chat.py FOLDER CONVERSATION [CONVERSATION ...]
CONVERSATION is a JSON list of messages. Prints of each its text and its ids.
"""
import json
import sys

from transformers import AutoTokenizer

folder, *conversations = sys.argv[1:]
tokenizer = AutoTokenizer.from_pretrained(folder)


def rendered(conversation):
    messages = json.loads(conversation)
    text = tokenizer.apply_chat_template(messages, tokenize=False, add_generation_prompt=True)
    ids = tokenizer.apply_chat_template(messages, tokenize=True, add_generation_prompt=True, return_dict=False)
    return {"text": text, "ids": ids}


print(json.dumps([rendered(conversation) for conversation in conversations]))
