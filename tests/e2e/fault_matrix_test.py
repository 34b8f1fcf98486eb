"""Three roles, ten phases of a request, six blows: whatever falls in whichever moment, every stream is one process's or
a prefix of it and a typed error, every page comes home, and the cluster serves again. By day thirty cells, each role in
each phase with one blow; `--night` tries all 180. Runs in a network of its own, where it may cut wires.

usage: fault_matrix_test.py [--night] [ROLE/PHASE/BLOW...]"""
import concurrent.futures
import os
import signal
import subprocess
import sys
import time

import memory_limit
import netns
from cluster import Cluster, wait_until
from load import Answers, Load, workers_at_rest
from switchboard import Switchboard

ROLES = ("router", "prefill", "decode")
BLOWS = ("kill", "stop", "term", "memory", "hole", "one_way")
# Where a process stands when the blow falls: (which, the failpoint, its nth pass). Who drains stands, or waits for one.
PHASES = {
    "idle": None,
    "offered": ("prefill-0", "sent.offer", 2),
    "granted": ("decode-0", "sent.grant", 2),
    "first_chunk": ("prefill-0", "launched", 2),
    "mid_page": ("prefill-0", "writing", 5),
    "last_layer": ("prefill-0", "collected", 2),
    "before_commit": ("prefill-0", "sending.commit", 2),
    "first_token": ("prefill-0", "said.tokens", 2),
    "mid_decode": ("decode-0", "launched", 12),
    "draining": {"router": ("decode-0", "launched", 5), "prefill": ("prefill-0", "launched", 2),
                 "decode": ("decode-0", "launched", 5)},
}
LEASE = 2.0
STRUCK = 3.0          # how long a stop or a cut lasts: a lease, and what a router needs to give a verdict
SERVES_WITHIN = 30.0  # of the blow; how long it takes is printed
REST_WITHIN = 15.0    # of the last stream's end
# Pools that are soon full, so that pages go from hand to hand and few prompts are found whole.
SETTINGS = [f"transfer.lease_ms={LEASE * 1000:.0f}", "transfer.renew_ms=400", "cache.pages=96",
            "router.local_prefill_tokens_max=0"]
AT_ONCE = 3           # cells beside each other: most of their time they wait


class Cell:
    """One role, one phase, one blow, on a cluster of its own."""

    def __init__(self, role, phase, blow, answers):
        self.role, self.phase, self.blow, self.answers = role, phase, blow, answers
        self.name = f"{role}/{phase}/{blow}"
        self.victim = "router" if role == "router" else f"{role}-0"
        self.standing, self.limit = None, None

    def run(self):
        """Returns a line on what was seen; AssertionError when a promise was broken."""
        sets = SETTINGS + (["transfer.transports=[tcp]"] if self.blow in ("hole", "one_way") else [])
        with Switchboard() as board, Cluster(prefill=2, decode=2, sets=sets, faults=board.environment) as cluster:
            with Load(cluster, self.answers, cut_allowed=self.role == "router") as load:
                wait_until(lambda: load.count("exact") >= 8, 30, "the load runs")
                before, since = load.count("exact"), load.done()[0].start
                rate = before / (time.monotonic() - since)
                pid = cluster.workers[self.victim]
                self._reach(board, cluster)
                struck = time.monotonic()
                self._strike(board, pid)
                wait_until(lambda: load.served_since(struck), SERVES_WITHIN, "served again")
                again = load.served_since(struck) - struck
            load.check()
            wait_until(lambda: workers_at_rest(cluster), REST_WITHIN, "every page is home")
        if self.limit is not None:
            self.limit.remove()
        return (f"{rate:3.0f} requests/s before, serves again after {again:5.2f} s, {load.count('typed')} typed errors, "
                f"{load.count('cut')} cut")

    def _reach(self, board, cluster):
        """Waits until the phase has come; some process then stands in it."""
        place = PHASES[self.phase]
        if place is not None:
            name, point, nth = place[self.role] if self.phase == "draining" else place
            self.standing = cluster.workers[name]
            board.arm(self.standing, point, nth)
            if not board.wait_stands(self.standing, point):
                raise AssertionError(f"{point} was not reached")
        if self.phase == "draining":
            cluster.signal(self.victim, signal.SIGTERM)
            time.sleep(0.1)

    def _strike(self, board, pid):
        heal = self._deal(board, pid)
        if self.standing not in (None, pid):
            board.go(self.standing)
        if heal is not None:
            time.sleep(STRUCK)
            heal()
        if self.standing == pid:
            board.go(pid)

    def _deal(self, board, pid):
        """Deals the blow. Returns what heals it, or None where nothing is to be healed."""
        if self.blow == "stop":
            os.kill(pid, signal.SIGSTOP)
            return lambda: os.kill(pid, signal.SIGCONT)
        if self.blow in ("hole", "one_way"):
            return netns.cut(pid, both_ways=self.blow == "hole")
        if self.blow == "memory":
            self.limit = memory_limit.MemoryLimit(pid)
            board.eat(pid)
            wait_until(lambda: ended(pid), 10, "out of memory")
        else:
            os.kill(pid, signal.SIGKILL if self.blow == "kill" else signal.SIGTERM)
        return None


def ended(pid):
    try:
        with open(f"/proc/{pid}/stat") as file:
            return file.read().rsplit(")", 1)[1].split()[0] in "ZX"
    except FileNotFoundError:
        return True


def cells(night, names):
    """(role, phase, blow) of what is asked for."""
    if names:
        return [tuple(name.split("/")) for name in names]
    if night:
        return [(role, phase, blow) for role in ROLES for phase in PHASES for blow in BLOWS]
    # A Latin square: each blow falls on each role, and no phase always meets the same one.
    return [(role, phase, BLOWS[(p + 2 * r) % len(BLOWS)]) for r, role in enumerate(ROLES)
            for p, phase in enumerate(PHASES)]


def attempt(cell):
    """(passed, line)"""
    start = time.monotonic()
    try:
        line, passed = cell.run(), True
    except (AssertionError, OSError, subprocess.SubprocessError) as error:
        line, passed = repr(error), False
    print(f"{'ok   ' if passed else 'FAIL '} {cell.name:30} {time.monotonic() - start:5.1f} s  {line}", flush=True)
    return passed


def main():
    names = [word for word in sys.argv[1:] if "/" in word]
    refused = set() if netns.enter() else {"hole", "one_way"}
    if not memory_limit.permitted():
        refused.add("memory")
    asked = cells("--night" in sys.argv, names)
    answers = Answers(count=12, lengths=(150, 400, 900), max_tokens=16)
    start = time.monotonic()
    with concurrent.futures.ThreadPoolExecutor(AT_ONCE) as pool:
        passed = list(pool.map(attempt, [Cell(*cell, answers) for cell in asked if cell[2] not in refused]))
    for blow in sorted(refused):
        print(f"SKIPPED {sum(cell[2] == blow for cell in asked)} cells: this machine does not permit the blow '{blow}'")
    print(f"{sum(passed)} cells passed, {len(passed) - sum(passed)} failed, in {time.monotonic() - start:.0f} s")
    raise SystemExit(0 if passed and all(passed) else 1)


if __name__ == "__main__":
    main()
