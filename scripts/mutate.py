"""The long campaigns of `make mutate`: changed files that must not pass, killed processes that must.

    python scripts/mutate.py --mutations 1000000 --kills 10000 --together 600

And, for so many seconds, everything on one journal at once, with kills.
Exit code 1 when a mutation survived, a kill raised a false alarm, or a reader saw what it should not.
"""

import argparse
import os
import shutil
import sys
import tempfile
import time
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent.parent / "tests"))


def killing(count, seed):
    """One share of the kills."""
    import kills

    base = tempfile.mkdtemp(dir="/dev/shm" if os.path.isdir("/dev/shm") else None)
    return kills.campaign(base, count, seed)


def mutating(count, seed):
    """One share of the mutations."""
    import mutations

    base = tempfile.mkdtemp(dir="/dev/shm" if os.path.isdir("/dev/shm") else None)
    return mutations.campaign(Path(base) / "corpus", count, seed)


def playing(seconds, seed):
    """Writers, archiver, retention and readers together, a minute at a time."""
    import together

    end, alarms = time.monotonic() + seconds, []
    while not alarms and (left := end - time.monotonic()) > 0:
        seed += 1
        base = tempfile.mkdtemp(dir="/dev/shm" if os.path.isdir("/dev/shm") else None)
        found, counts = together.campaign(Path(base) / "play", min(left, 60), seed)
        alarms += [(base, seed, alarm) for alarm in found]
        print(f"together, seed {seed}: {counts}", flush=True)
        if not alarms:
            shutil.rmtree(base)
    return alarms


def main():
    """Runs all on all cores."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--mutations", type=int, default=1_000_000)
    parser.add_argument("--kills", type=int, default=10_000)
    parser.add_argument("--together", type=int, default=600, metavar="SECONDS")
    parser.add_argument("--seed", type=int, default=int(time.time()))
    parser.add_argument("--workers", type=int, default=os.cpu_count())
    options = parser.parse_args()
    os.environ["XDG_STATE_HOME"] = tempfile.mkdtemp()
    print(f"seed {options.seed}, {options.workers} workers", flush=True)
    with ProcessPoolExecutor(options.workers, mp_context=get_context("spawn")) as pool:
        kill_shares = _shares(options.kills, options.workers)
        mutation_shares = _shares(options.mutations, options.workers * 8)
        started = time.monotonic()
        alarms = playing(options.together, options.seed)
        for found in pool.map(killing, kill_shares, _seeds(options.seed, kill_shares)):
            alarms += found
        print(f"{sum(kill_shares):,} kills: {len(alarms)} false alarms", flush=True)
        tried, survivors = 0, []
        for count, found in pool.map(
            mutating, mutation_shares, _seeds(options.seed, mutation_shares)
        ):
            tried += count
            survivors += found
            print(f"{tried:,} mutations: {len(survivors)} undetected", flush=True)
    print(f"{time.monotonic() - started:,.0f} s")
    for alarm in alarms:
        print("false alarm:", alarm)
    for name, mutant in survivors[:20]:
        print("undetected:", name, mutant)
    return 1 if alarms or survivors else 0


def _shares(count, workers):
    return [count // workers + (at < count % workers) for at in range(workers)]


def _seeds(seed, shares):
    return [seed * 1000 + at for at in range(len(shares))]


if __name__ == "__main__":
    sys.exit(main())
