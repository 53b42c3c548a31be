"""What people do with rotated files: `zstd -dc … | rg`."""

import json
import os
import subprocess

from bench.corpus import RARE_WORD

ANSWERS = ["errors", "id", "rare", "common", "field"]


def prepare(place):
    from bench.queries import have

    have("zstd")
    have("rg")
    file = os.path.join(place, "corpus.jsonl.zst")
    subprocess.run(["zstd", "-q", "-3", f"{place}/corpus.jsonl", "-o", file], check=True)
    return [file]


def open_session(place):
    return os.path.join(place, "corpus.jsonl.zst")


def _lines(file, pattern, *options):
    command = f"zstd -dc '{file}' | rg {' '.join(options)} '{pattern}'"
    done = subprocess.run(command, shell=True, capture_output=True, text=True, check=False)
    return done.stdout.splitlines()


def ask(file, question):
    from bench.queries import WANTED_ID

    if question == "errors":
        pattern = '"level":"(ERROR|CRITICAL)".*"component":"payment(\\.[^"]*)?"'
        records = [json.loads(line) for line in _lines(file, pattern)[-100:]]
        return [[record["message"], record["context"]["request_id"]] for record in records[::-1]]
    if question == "common":
        return [[int(_lines(file, '"message":"[^"]*gateway', "-ic")[0])]]
    if question == "field":
        return [[int(_lines(file, '"user_id":7[,}]', "-c")[0])]]
    word = WANTED_ID if question == "id" else RARE_WORD
    found = _lines(file, word, "-i" if question == "rare" else "")
    return sorted([json.loads(line)["message"]] for line in found)
