"""A bounded soak: many clients, a fifth of which leave in mid-stream, and prefill and decode workers killed at random
under `baton up`, which starts them again. Every stream is compared with one process's: it is whole, or its prefix and a
typed error. At the end every page is home, and what was never killed has not grown.

usage: soak_test.py [--night]   by day 40 s; by night until 10,000 hand-offs have committed, ten minutes at most"""
import os
import random
import signal
import sys
import time

from cluster import Cluster, wait_until
from load import Answers, Load, all_ready, workers_at_rest

NIGHT = "--night" in sys.argv
SEED = int(os.environ.get("BATON_SEED", "1"))
SECONDS_MIN, SECONDS_MAX = (60, 600) if NIGHT else (20, 40)
HANDOFFS = 10_000 if NIGHT else 200
KILLS = 10 if NIGHT else 3
KILL_EVERY = 12 if NIGHT else 5
CLIENTS = 12
ABORTS = 0.2
COMPLETE = 0.99       # of the requests that nobody cancelled
DESCRIPTORS_MORE = 8  # at the end, than when the load began
THREADS_A_KILL = 1    # gRPC adds a few of its own under load; one that leaks with each kill is as many as the kills
RSS_MORE = 64 << 20


class Handoffs:
    """Committed hand-offs over all lives of all prefill workers: a life's count ends with it."""

    def __init__(self, cluster):
        self.cluster, self.by_life = cluster, {}

    def count(self):
        for name, pid in list(self.cluster.workers.items()):
            if not name.startswith("prefill"):
                continue
            try:
                value = self.cluster.metric("baton_handoffs_total", name, outcome="committed")
            except OSError:
                continue  # it is on its way up
            self.by_life[name, pid] = max(self.by_life.get((name, pid), 0), value or 0)
        return int(sum(self.by_life.values()))


def state_of(pid):
    """(descriptors, threads, resident bytes) of a process."""
    with open(f"/proc/{pid}/status") as file:
        fields = dict(line.split(":", 1) for line in file if ":" in line)
    return len(os.listdir(f"/proc/{pid}/fd")), int(fields["Threads"]), int(fields["VmRSS"].split()[0]) << 10


def strike(cluster, load, handoffs):
    """Kills until enough has happened. Returns (kills, seconds)."""
    rng, kills, start = random.Random(SEED), 0, time.monotonic()
    next_kill = start + KILL_EVERY
    while time.monotonic() - start < SECONDS_MAX:
        enough = handoffs.count() >= HANDOFFS and kills >= KILLS
        if enough and time.monotonic() - start >= SECONDS_MIN:
            break
        time.sleep(0.5)
        if time.monotonic() < next_kill or not all_ready(cluster):  # another of its kind must be there
            continue
        victim = rng.choice([name for name in sorted(cluster.workers) if name != "router"])
        os.kill(cluster.workers[victim], signal.SIGKILL)
        kills, next_kill = kills + 1, time.monotonic() + KILL_EVERY
    return kills, time.monotonic() - start


def check_growth(cluster, first, kills):
    for name, pid in cluster.workers.items():
        if pid not in first:
            continue  # it was killed
        before = first[pid]
        wait_until(lambda pid=pid, before=before: state_of(pid)[0] <= before[0] + DESCRIPTORS_MORE, 15,
                   f"{name} gives its descriptors back")
        after = state_of(pid)
        print(f"{name}: descriptors, threads, bytes {before} -> {after}")
        if after[1] >= before[1] + THREADS_A_KILL * kills or after[2] > before[2] + RSS_MORE:
            raise AssertionError(f"{name} has grown: {before} -> {after}")


def main():
    answers = Answers(count=60, lengths=(90, 200, 330, 700), max_tokens=12, seed=SEED)
    with Cluster(prefill=2, decode=2, sets=["router.local_prefill_tokens_max=0", "cache.pages=96"]) as cluster:
        handoffs = Handoffs(cluster)
        with Load(cluster, answers, clients=CLIENTS, cancel=ABORTS, seed=SEED) as load:
            wait_until(lambda: len(load.done()) >= 4 * CLIENTS, 30, "the load runs")
            first = {pid: state_of(pid) for pid in cluster.workers.values()}
            kills, took = strike(cluster, load, handoffs)
        committed = handoffs.count()
        count = {how: load.count(how) for how in ("exact", "cancelled", "typed", "cut", "wrong")}
        print(f"{committed} hand-offs, {kills} kills, {took:.0f} s, streams: {count}", flush=True)
        load.check()
        wait_until(lambda: workers_at_rest(cluster), 15, "every page is home")
        check_growth(cluster, first, kills)
    whole = count["exact"] / (count["exact"] + count["typed"])
    if whole < COMPLETE:
        raise AssertionError(f"only {whole:.2%} of the requests that nobody cancelled are whole")
    if committed < HANDOFFS or kills < KILLS:
        raise AssertionError(f"{committed} hand-offs and {kills} kills in {took:.0f} s, not {HANDOFFS} and {KILLS}")


if __name__ == "__main__":
    main()
