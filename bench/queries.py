"""How long do questions take, of five million records?

Every peer answers in a process of its own, from files made of the same records; its answers are compared with
Treering's before a time counts.
"""

import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from bench import corpus
from bench.report import Report

RECORDS = int(os.environ.get("TREERING_BENCH_RECORDS", corpus.RECORDS))
QUESTIONS = {
    "histogram": "histogram by minute and level",
    "errors": "newest 100 errors of a component",
    "id": "one request id",
    "rare": f"a rare word ({corpus.RARE_WORD})",
    "common": "a common word, counted",
    "field": "one user's records, counted",
    "top": "the ten users with most records",
    "percentiles": "percentiles of duration_ms by component",
}
PEERS = {
    "treering": "bench.peers.query_treering",
    "duckdb, naive Parquet": "bench.peers.query_parquet",
    "duckdb, JSON Lines": "bench.peers.query_json",
    "sqlite FTS5": "bench.peers.query_sqlite",
    "zstd -dc | rg": "bench.peers.query_rg",
}
WANTED_ID = corpus.request_id(RECORDS // 3)
WARM_MS = {"id": 50, "rare": 50, "histogram": 50}


def queries():
    report = Report(
        f"How long do questions take? ({RECORDS:,} records; ms: warm, cold)",
        ("question", *(f"{peer}" for peer in PEERS)),
    )
    sizes = Report("How much room do they need?", ("files", "bytes a record", "made in s"))
    with tempfile.TemporaryDirectory(dir=os.environ.get("TREERING_BENCH_DIRECTORY")) as place:
        text = os.path.join(place, "corpus.jsonl")
        corpus.write(text, RECORDS)
        sizes.row("JSON Lines", f"{os.path.getsize(text) / RECORDS:.0f}", "")
        found = {}
        for peer, module in PEERS.items():
            try:
                made = _child(module, "prepare", place)
            except RuntimeError as error:
                sizes.row(peer, f"could not be measured: {error}", "")
                continue
            sizes.row(peer, f"{made['bytes'] / RECORDS:.0f}", f"{made['seconds']:.0f}")
            found[peer] = {
                question: _child(module, "ask", place, question)
                for question in (QUESTIONS if made["answers"] == "all" else made["answers"])
            }
    for question, words in QUESTIONS.items():
        ours = found["treering"][question]
        cells = []
        for peer in PEERS:
            theirs = found.get(peer, {}).get(question)
            cells.append(_cell(ours, theirs))
        report.row(words, *cells)
        naive = found["duckdb, naive Parquet"][question]
        report.goal(f"{words}, × naive Parquet", ours["warm"] / naive["warm"], 1.0)
        if question in WARM_MS:
            report.goal(f"{words}, ms warm", ours["warm"], WARM_MS[question])
    return report, sizes


def _cell(ours, theirs):
    if theirs is None:
        return ""
    if theirs["answer"] != ours["answer"]:
        raise AssertionError(f"answers differ: {ours['answer']!r}, {theirs['answer']!r}")
    return f"{theirs['warm']:.0f}, {theirs['cold']:.0f}"


def _child(module, *words):
    done = subprocess.run(
        [sys.executable, "-m", "bench.queries", module, *words],
        capture_output=True,
        text=True,
        timeout=1800,
        check=False,
    )
    if done.returncode:
        raise RuntimeError(done.stderr.strip().splitlines()[-1])
    return json.loads(done.stdout.splitlines()[-1])


def _forget(place):
    """Has the kernel drop what it holds of the files: the next read comes from the device."""
    for path in Path(place).rglob("*"):
        if path.is_file():
            descriptor = os.open(path, os.O_RDONLY)
            os.fsync(descriptor)
            os.posix_fadvise(descriptor, 0, 0, os.POSIX_FADV_DONTNEED)
            os.close(descriptor)


def size_of(*paths):
    """Bytes of files and of what is in directories."""
    files = [file for path in paths for file in [Path(path), *Path(path).rglob("*")]]
    return sum(file.stat().st_size for file in files if file.is_file())


def main(module, step, place, question=None):
    """One step of a peer, in this process."""
    import importlib

    peer = importlib.import_module(module)
    if step == "prepare":
        begin = time.perf_counter()
        files = peer.prepare(place)
        answers = getattr(peer, "ANSWERS", "all")
        seconds = time.perf_counter() - begin
        return {"seconds": seconds, "bytes": size_of(*files), "answers": answers}
    _forget(place)
    session = peer.open_session(place)
    times = []
    for _ in range(6):
        begin = time.perf_counter()
        answer = peer.ask(session, question)
        times.append((time.perf_counter() - begin) * 1e3)
    return {"cold": times[0], "warm": sorted(times[1:])[2], "answer": answer}


def have(program):
    """Refuses to go on without a program."""
    if shutil.which(program) is None:
        raise RuntimeError(f"{program} is not installed")


if __name__ == "__main__":
    print(json.dumps(main(*sys.argv[1:]), default=str))
