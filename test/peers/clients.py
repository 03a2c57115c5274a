"""Asks a server through OpenAI's client and through the OpenAI-like classes of LangChain and LlamaIndex, and prints what each got.

usage: clients.py URL MODEL PROMPT
"""
import json
import sys

import openai
from langchain_openai import OpenAI
from llama_index.llms.openai_like import OpenAILike

url, model, prompt = sys.argv[1:]
key = "none"
settings = {"max_tokens": 12, "temperature": 0}

client = openai.OpenAI(base_url=url, api_key=key)
scored = client.completions.create(model=model, prompt=[prompt, prompt + "."], echo=True, logprobs=1, **settings)
streamed = client.completions.create(model=model, prompt=prompt, stream=True, **settings)
print(
    json.dumps(
        {
            "models": [one.id for one in client.models.list()],
            "texts": [choice.text for choice in scored.choices],
            "tokens": [choice.logprobs.tokens for choice in scored.choices],
            "token_logprobs": [choice.logprobs.token_logprobs for choice in scored.choices],
            "streamed": "".join(chunk.choices[0].text for chunk in streamed if chunk.choices),
            "langchain": OpenAI(base_url=url, api_key=key, model=model, **settings).invoke(prompt),
            "llama_index": OpenAILike(
                api_base=url, api_key=key, model=model, is_chat_model=False, context_window=4096, **settings
            )
            .complete(prompt)
            .text,
        }
    )
)
