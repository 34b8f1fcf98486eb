"""Decode workers killed with hundreds of streams under way: each of them goes on elsewhere, token for token as if
nothing had happened, and the cluster serves again.

usage: mid_stream_test.py [--night]   by day until 500 streams have lost their worker; by night 5,000"""
import os
import signal
import sys
import time

from cluster import Cluster, wait_until
from load import Answers, Load, all_ready, workers_at_rest

STREAMS = 5_000 if "--night" in sys.argv else 500
RUNNING = 30  # at the victim, when it is killed: tokens flow
CLIENTS = 128


def running(cluster, worker):
    try:
        return int(cluster.metric("vllm:num_requests_running", worker) or 0)
    except OSError:
        return 0  # it is on its way up


def main():
    answers = Answers(count=40, lengths=(90, 200, 330), max_tokens=96, seed=7)
    lost, kills, slowest = 0, 0, 0.0
    sets = ["router.local_prefill_tokens_max=0", "cache.pages=2048"]
    with Cluster(prefill=2, decode=2, sets=sets) as cluster:
        with Load(cluster, answers, clients=CLIENTS, seed=7) as load:
            while lost < STREAMS:
                victim = f"decode-{kills % 2}"
                wait_until(lambda victim=victim: all_ready(cluster) and running(cluster, victim) >= RUNNING, 60,
                           f"{victim} streams")
                here = running(cluster, victim)
                struck = time.monotonic()
                os.kill(cluster.workers[victim], signal.SIGKILL)
                lost, kills = lost + here, kills + 1
                wait_until(lambda struck=struck: load.served_since(struck), 30, "served again")
                slowest = max(slowest, load.served_since(struck) - struck)
        load.check()
        wait_until(lambda: workers_at_rest(cluster), 15, "every page is home")
        retries = int(cluster.metric("baton_retries_total") or 0)
        print(f"{lost} streams lost their worker in {kills} kills; {load.count('exact')} streams whole, "
              f"{load.count('typed')} typed errors, {retries} retries; a request that began after a kill was whole "
              f"after {slowest:.2f} s at the latest")
    if load.count("typed") > 0.001 * lost:
        raise AssertionError([outcome.what for outcome in load.done() if outcome.how == "typed"][:3])
    if retries < lost / 2:
        raise AssertionError(f"{retries} retries: the kills have hit nothing")


if __name__ == "__main__":
    main()
