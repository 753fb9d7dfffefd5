"""Greedy answers of a grafted checkpoint under spelled tokens, and of its source under the same rows as inputs_embeds, as JSON.

Usage: generate.py SOURCE GRAFTED PROMPT.safetensors QUESTION…; PROMPT belongs to the first prompt of the graft.
"""

import json
import sys

import torch
from safetensors.torch import load_file
from transformers import AutoModelForCausalLM, AutoTokenizer

source, grafted, prompt, *questions = sys.argv[1:]
rows = load_file(prompt)["soft_prompt"].float()
with open(f"{grafted}/preamble-graft.json") as file:
    graft = json.load(file)["prompts"][0]
ids = [token["id"] for token in graft["tokens"]]

tokenizer = AutoTokenizer.from_pretrained(grafted)
original = AutoModelForCausalLM.from_pretrained(source, dtype=torch.float32).eval()
changed = AutoModelForCausalLM.from_pretrained(grafted, dtype=torch.float32).eval()
greedy = dict(max_new_tokens=32, do_sample=False, pad_token_id=0)
answers = []
for question in questions:
    messages = [{"role": "system", "content": graft["spelled"]}, {"role": "user", "content": question}]
    tokens = tokenizer.apply_chat_template(messages, add_generation_prompt=True, return_tensors="pt", return_dict=True)["input_ids"]
    at = tokens[0].tolist().index(ids[0])
    assert tokens[0, at : at + len(ids)].tolist() == ids, "the spelled tokens are one id each"
    real = tokens.clone()
    real[0, at : at + len(ids)] = 0
    embeddings = original.get_input_embeddings()(real).clone()
    embeddings[0, at : at + len(ids)] = rows
    with torch.no_grad():
        spelled = changed.generate(tokens, attention_mask=torch.ones_like(tokens), **greedy)[0, tokens.shape[1] :]
        embedded = original.generate(
            inputs_embeds=embeddings, attention_mask=torch.ones_like(tokens), **greedy
        )[0]
        logits = [model(**inputs).logits[0, -1] for model, inputs in [(changed, {"input_ids": tokens}), (original, {"inputs_embeds": embeddings})]]
        virtual, real_logits = logits[0][ids], logits[1]
    keep = [row for row in range(real_logits.shape[0]) if row not in set(ids)]
    answers.append(
        {
            "spelled": tokenizer.decode(spelled, skip_special_tokens=True),
            "embedded": tokenizer.decode(embedded, skip_special_tokens=True),
            "apart": (logits[0][keep] - real_logits[keep]).abs().max().item(),
            "margin": (real_logits[keep].min() - virtual.max()).item(),
        }
    )
print(json.dumps(answers))
