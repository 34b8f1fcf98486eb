"""Every worker of a cluster is told to leave, one after another, under load: each finishes what it has accepted and is
started again. No request fails, no stream differs, and none has lost its worker."""
import signal
import unittest

from cluster import Cluster, wait_until
from load import Answers, Load, all_ready, workers_at_rest


class DrainTest(unittest.TestCase):
    def test_each_worker_leaves_in_order_and_nobody_notices(self):
        answers = Answers(count=30, lengths=(90, 300, 900), max_tokens=48, seed=5)
        with Cluster(prefill=2, decode=2, sets=["router.local_prefill_tokens_max=0"]) as cluster:
            before = dict(cluster.workers)
            with Load(cluster, answers, clients=12, seed=5) as load:
                for worker in ("decode-0", "decode-1", "prefill-0", "prefill-1"):
                    begun = len(load.done())
                    wait_until(lambda: len(load.done()) >= begun + 12 and all_ready(cluster), 30, "the load runs")
                    cluster.signal(worker, signal.SIGTERM)
                    wait_until(lambda: cluster.workers[worker] != before[worker], 30, f"{worker} comes back")
                wait_until(lambda: all_ready(cluster), 30, "all are back")
            load.check()
            self.assertEqual(len(load.done()), load.count("exact"),
                             [outcome.what for outcome in load.done() if outcome.how != "exact"][:3])
            self.assertIn(cluster.metric("baton_retries_total", reason="worker_lost"), (None, 0))
            wait_until(lambda: workers_at_rest(cluster), 15, "every page is home")
            log = cluster.log()
            for worker in ("decode-0", "decode-1", "prefill-0", "prefill-1"):
                self.assertIn(f"{worker}: leaving: drained", log)
            print(f"{load.count('exact')} requests while four workers left in turn; "
                  f"{cluster.metric('baton_retries_total') or 0:.0f} sent elsewhere by one that was leaving")


if __name__ == "__main__":
    unittest.main(verbosity=2)
