"""Wires that break in a network of the test's own, under load: a worker that nobody hears and that hears nobody, one whose
words alone are lost, two workers that cannot reach each other; healed after a lease has ended. And a wire that is slow
and stays so. Says aloud what this machine does not permit."""
import subprocess
import time
import unittest

import netns
from cluster import Cluster, oracle, recall_prompt, wait_until
from load import Answers, Load, workers_at_rest
from switchboard import Switchboard

WIRES_CAN_BE_CUT = netns.enter()
TCP = ["transfer.transports=[tcp]", "router.local_prefill_tokens_max=0"]
CUT_SECONDS = 7      # longer than a lease
WAITS_FOR_HEAL = 4.8  # seconds: a worker that is cut off is noticed in about two; nothing may wait until it is back


class PartitionTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        if not WIRES_CAN_BE_CUT:
            raise unittest.SkipTest("SKIPPED: no wire can be cut here")
        cls.answers = Answers(count=8, lengths=(300, 900, 2500), max_tokens=16, seed=4)

    def under_load(self, break_wire, slowest_allowed=WAITS_FOR_HEAL):
        with Switchboard() as board, Cluster(prefill=2, decode=2, sets=TCP, faults=board.environment) as cluster:
            with Load(cluster, self.answers) as load:
                wait_until(lambda: load.count("exact") > 8, 20, "the load runs")
                heal = break_wire(cluster)
                cut = time.monotonic()
                wait_until(lambda: load.served_since(cut), 20, "service beside the cut")
                time.sleep(max(0.0, cut + CUT_SECONDS - time.monotonic()))
                heal()
                healed = time.monotonic()
                wait_until(lambda: load.served_since(healed), 20, "service after the cut")
            load.check()
            wait_until(lambda: workers_at_rest(cluster), 15, "every page is home")
            slowest = max(outcome.end - outcome.start for outcome in load.done() if outcome.start > cut - 1)
            print(f"a request that began after the cut was whole {load.served_since(cut) - cut:.2f} s after it; the "
                  f"slowest took {slowest:.2f} s; {load.count('exact')} whole, {load.count('typed')} typed errors")
            self.assertLess(slowest, slowest_allowed)

    def test_a_prefill_worker_that_nobody_hears_and_that_hears_nobody(self):
        self.under_load(lambda cluster: netns.cut(cluster.workers["prefill-0"], both_ways=True))

    def test_a_decode_worker_that_nobody_hears_and_that_hears_nobody(self):
        self.under_load(lambda cluster: netns.cut(cluster.workers["decode-0"], both_ways=True))

    def test_a_prefill_worker_whose_words_are_lost(self):
        self.under_load(lambda cluster: netns.cut(cluster.workers["prefill-0"], both_ways=False))

    def test_two_workers_that_cannot_reach_each_other(self):
        # Their routers hear both: they themselves give each other up, after 5 s.
        self.under_load(lambda cluster: netns.cut_between(cluster.workers["prefill-0"], cluster.workers["decode-0"]),
                        slowest_allowed=CUT_SECONDS)


class SlowWireTest(unittest.TestCase):
    def test_a_slow_wire_costs_time_alone(self):
        shape = ["tc", "qdisc", "add", "dev", "lo", "root", "tbf", "rate", "80mbit", "burst", "128kb", "latency", "400ms"]
        if not WIRES_CAN_BE_CUT or subprocess.run(shape, capture_output=True).returncode != 0:
            self.skipTest("SKIPPED: no wire can be slowed here")
        self.addCleanup(subprocess.run, ["tc", "qdisc", "del", "dev", "lo", "root"], check=True)
        prompts = [recall_prompt(2000, 70 + i) for i in range(4)]
        expected = [a["token_ids"] for a in oracle(prompts, max_tokens=8)]
        with Cluster(sets=TCP) as cluster:
            start = time.monotonic()
            got = [cluster.complete(prompt, max_tokens=8)["choices"][0]["token_ids"] for prompt in prompts]
            self.assertEqual(expected, got)
            wait_until(lambda: workers_at_rest(cluster), 15, "every page is home")
            print(f"{len(prompts)} prompts in {time.monotonic() - start:.1f} s at 10 MB/s")


if __name__ == "__main__":
    unittest.main(verbosity=2)
