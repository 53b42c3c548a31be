"""What does a proof cost?"""

import random
import time

from bench.data import fill
from bench.process import child
from bench.report import Report, spread

RECORDS = 1_000_000


def prove():
    report = Report(
        "What does the proof of one record among a million cost?", ("what", "median (range)")
    )
    found = child("prove.proofs", "PATH")
    report.row("bytes of a proof", spread(found["bytes"], 0))
    report.row("prove(), ms", spread(found["prove_ms"], 1))
    report.row("verify_proof(), ms", spread(found["verify_ms"], 3))
    report.goal("bytes of the largest proof", max(found["bytes"]), 1500)
    return report


def proofs(path):
    """Proofs of records anywhere in the journal, each verified."""
    from treering import seal

    fill(path, RECORDS)
    trust = seal.pin(path)
    found = {"bytes": [], "prove_ms": [], "verify_ms": []}
    for index in random.Random(7).sample(range(RECORDS), 50):
        begin = time.perf_counter()
        proof, record = seal.prove(path, index)
        middle = time.perf_counter()
        assert seal.verify_proof(proof, record, trust=trust).index == index
        found["verify_ms"].append((time.perf_counter() - middle) * 1000)
        found["prove_ms"].append((middle - begin) * 1000)
        found["bytes"].append(len(proof.encode()))
    return found
