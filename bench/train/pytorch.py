"""Steps of DRO as its authors take them, one for each line on stdin: the prefix stands in every row, and autograd goes back through all of it.

`python pytorch.py TASK`; prints a Step as JSON for each. The output head is left out (theirs computes it and throws it away), weights are frozen, and
the batch is cut into the same micro-batches as ours, whose gradients add up.
"""

import json
import pathlib
import sys
import time

import torch
import torch.nn.functional as F
from transformers import AutoModelForCausalLM

task = json.loads(pathlib.Path(sys.argv[1]).read_text())
torch.set_num_threads(task["threads"])
model = AutoModelForCausalLM.from_pretrained(task["directory"], dtype=torch.float32).eval()
for parameter in model.parameters():
    parameter.requires_grad = False

numbers = lambda name: torch.tensor(task[name], dtype=torch.float32)
reference, labels, principal = numbers("reference"), numbers("labels"), numbers("principal")
refusal, harmfulness = numbers("refusal"), numbers("harmfulness")
queries, weights = torch.tensor(task["queries"]), task["weights"]
soft = torch.nn.Parameter(numbers("softPrompt"))
optimizer = torch.optim.AdamW([soft], lr=task["learningRate"], weight_decay=task["weightDecay"])


def embed(ids):
    return model.get_input_embeddings()(torch.tensor(ids))


def loss_of(rows):
    """The rows' share of the batch's mean loss."""
    prefix = torch.cat([embed(task["before"]), soft, embed(task["after"])])
    query = model.get_input_embeddings()(queries[rows])
    embeddings = torch.cat([prefix.expand(len(query), -1, -1), query], dim=1)
    states = model.model(inputs_embeds=embeddings, use_cache=False).last_hidden_state[:, -1]
    moved = states - reference[rows]
    along = moved @ principal.T
    probe = lambda w: F.binary_cross_entropy_with_logits(along @ w, labels[rows], reduction="sum")
    outside = ((moved.pow(2).sum(1) - along.pow(2).sum(1)) / (states.shape[1] - len(principal))).sum()
    terms = weights["refusal"] * probe(refusal) + weights["harmfulness"] * probe(harmfulness) + weights["preservation"] * outside
    return terms / len(queries)


def step():
    optimizer.zero_grad()
    total = 0.0
    for start in range(0, len(queries), task["microBatch"]):
        loss = loss_of(slice(start, start + task["microBatch"]))
        loss.backward()
        total += loss.item()
    norm = torch.nn.utils.clip_grad_norm_([soft], task["clip"]).item()
    optimizer.step()
    return total, norm


for _ in sys.stdin:
    since = time.perf_counter()
    loss, norm = step()
    print(json.dumps({"seconds": time.perf_counter() - since, "loss": loss, "gradientNorm": norm}), flush=True)
