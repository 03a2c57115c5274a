"""Prints sacrebleu's chrF and BLEU of each corpus.

usage: translation_scores.py FILE
FILE holds a JSON list of {written: [text], references: [text]}.
"""
import json
import sys

import sacrebleu

with open(sys.argv[1], encoding="utf-8") as file:
    corpora = json.load(file)
print(
    json.dumps(
        [
            {
                "chrf": sacrebleu.corpus_chrf(corpus["written"], [corpus["references"]]).score,
                "bleu": sacrebleu.corpus_bleu(corpus["written"], [corpus["references"]]).score,
            }
            for corpus in corpora
        ]
    )
)
