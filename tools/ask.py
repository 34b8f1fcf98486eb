#!/usr/bin/env python3
"""Asks a running cluster one question over HTTP in streaming and prints the answer as it comes, then the
hand-off budget. With the built-in recall model the right answer is known, and checked; a prompt given is any
model's, and its answer anyone's to judge.

usage: ask.py [--port 8000] [--prompt TEXT]
"""
import argparse
import http.client
import json
import random
import sys
import time

WORDS = "kite moss lamp fern gold drum pine wolf salt ruby iris jade kelp loom mint nest".split()


def question(seed):
    """A list of keys with four digits each, and one of the keys asked for again."""
    rng = random.Random(seed)
    pairs = [(word, f"{rng.randrange(1000, 10000)}") for word in rng.sample(WORDS, len(WORDS))]
    key, digits = rng.choice(pairs)
    return "".join(f"{k}={v};" for k, v in pairs) + key + "=", digits


def stream(connection, prompt, max_tokens):
    """Yields the decoded events of one streamed completion."""
    body = {"prompt": prompt, "max_tokens": max_tokens, "temperature": 0, "stream": True,
            "stream_options": {"include_usage": True}, "return_handoff_budget": True}
    connection.request("POST", "/v1/completions", json.dumps(body), {"Content-Type": "application/json"})
    response = connection.getresponse()
    if response.status != 200:
        sys.exit(f"HTTP {response.status}: {response.read().decode(errors='replace')}")
    for line in response:
        if line.startswith(b"data: ") and line.strip() != b"data: [DONE]":
            yield json.loads(line[6:])


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--port", type=int, default=8000)
    parser.add_argument("--seed", type=int, default=int(time.time()))
    parser.add_argument("--prompt")
    arguments = parser.parse_args()
    prompt, digits = (arguments.prompt, "") if arguments.prompt else question(arguments.seed)
    print(f"prompt  {prompt}")
    print("answer  ", end="", flush=True)
    answer, usage = "", {}
    start = time.monotonic()
    connection = http.client.HTTPConnection("127.0.0.1", arguments.port, timeout=600)
    for event in stream(connection, prompt, 5 if digits else 32):
        if "error" in event:
            sys.exit(f"\nerror: {event['error']['message']}")
        for choice in event.get("choices", []):
            print(choice["text"], end="", flush=True)
            answer += choice["text"]
        usage = event.get("usage") or usage
    print(f"    ({1e3 * (time.monotonic() - start):.1f} ms)")
    budget = usage.get("handoff", {})
    if budget:
        if budget["prefill_worker"] is None:
            print(f"\nprompt and answer by {budget['decode_worker']}, without a hand-off")
        else:
            print(f"\nprefilled by {budget['prefill_worker']}, decoded by {budget['decode_worker']}, "
                  f"{budget['pages_sent']} pages ({budget['bytes']} bytes) over {budget['wire']}")
        for name in ("queue", "prefill", "offer", "exposed", "commit", "first_token"):
            label = {"exposed": "exposed wire", "first_token": "first token"}.get(name, name)
            if budget[name + "_ms"] is not None:
                print(f"  {label:<13}{budget[name + '_ms']:8.2f} ms")
    if not digits:
        return
    if not answer.startswith(digits):
        sys.exit(f"wrong answer: {answer!r}, the prompt says {digits!r}")
    print(f"\nright: the prompt said {digits}")


main()
