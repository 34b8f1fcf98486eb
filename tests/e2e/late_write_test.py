"""The late writer: a prefill worker stands with a write in its hand, is stopped or cut off, and loses its lease; its pages
at the decode worker go to another request; then it comes back and writes. No byte may change, and the frames must be
counted as refused. Where frames ask nobody (as one-sided puts), the same run must corrupt: else it would prove nothing."""
import os
import signal
import threading
import unittest

import netns
from cluster import Cluster, HttpError, answer_of, oracle, recall_prompt, wait_until
from load import workers_at_rest
from switchboard import Switchboard

WIRES_CAN_BE_CUT = netns.enter()
PAGES = 64
SETTINGS = [f"cache.pages={PAGES}", "transfer.lease_ms=1200", "transfer.renew_ms=300", "transfer.transports=[tcp]",
            "router.local_prefill_tokens_max=0"]
FIRST, OTHER = recall_prompt(1500, 901), recall_prompt(3700, 902)  # 24 pages, and 58: at least 18 are the same
ANSWER = 6


def stop(pid):
    os.kill(pid, signal.SIGSTOP)
    return lambda: os.kill(pid, signal.SIGCONT)


class LateWriteTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.first, cls.other = ((a["token_ids"], a["logprobs"]) for a in oracle([FIRST, OTHER], max_tokens=ANSWER, ignore_eos=True))

    def run_late(self, silence, puts):
        """Returns (what the owner of the pages is answered after the late write, frames that came too late)."""
        with Switchboard(puts) as board, Cluster(prefill=2, sets=SETTINGS, faults=board.environment) as cluster:
            writer, thread, got = self.catch_writer(board, cluster)
            heal = silence(writer)
            wait_until(lambda: cluster.metric("baton_fences_total", "decode-0"), 10, "the lease has ended")
            thread.join(30)
            self.assertEqual([self.first], got, "the request goes on with the other prefill worker")
            self.assertEqual(self.other, self.ask(cluster, OTHER))
            refused = cluster.metric("baton_stale_frames_refused_total", "decode-0") or 0
            board.go(writer)
            heal()
            wait_until(lambda: cluster.metric("baton_stale_frames_refused_total", "decode-0") > refused, 20,
                       "late frames come")
            again = self.ask(cluster, OTHER)
            wait_until(lambda: workers_at_rest(cluster), 10, "every page is home")
            return again, cluster.metric("baton_stale_frames_refused_total", "decode-0") - refused

    def catch_writer(self, board, cluster):
        """Lets a prefill worker stand between two writes of FIRST: (its pid, the client's thread, what that hears)."""
        got, workers = [], [cluster.workers[name] for name in ("prefill-0", "prefill-1")]
        for pid in workers:
            board.arm(pid, "writing", 2)
        thread = threading.Thread(target=lambda: got.append(self.ask(cluster, FIRST)), daemon=True)
        thread.start()
        wait_until(lambda: any("writing" in board.role(pid).stands_at for pid in workers), 10, "a write")
        writer, bystander = sorted(workers, key=lambda pid: "writing" not in board.role(pid).stands_at)
        board.go(bystander)  # it is not to stand later
        return writer, thread, got

    @staticmethod
    def ask(cluster, prompt):
        """The answer, or the error: a damaged page may also end a request."""
        try:
            return answer_of(cluster.complete(prompt, max_tokens=ANSWER, logprobs=0, ignore_eos=True))
        except HttpError as error:
            return str(error)

    def check_refused(self, silence, what):
        answer, late = self.run_late(silence, puts=False)
        self.assertEqual(self.other, answer)
        print(f"{what}: {late:.0f} late frames refused, no byte changed")

    def check_corrupts(self, silence, what):
        answer, late = self.run_late(silence, puts=True)
        self.assertNotEqual(self.other, answer, "puts that ask nobody went unnoticed: this test proves nothing")
        seen = "an error" if isinstance(answer, str) else "ids" if answer[0] != self.other[0] else "logprobs"
        print(f"{what}, with puts: {late:.0f} late frames, seen by {seen}")

    def cut(self, pid):
        if not WIRES_CAN_BE_CUT:
            self.skipTest("SKIPPED: no wire can be cut here")
        return netns.cut(pid, both_ways=True)

    def test_a_writer_stopped_past_its_lease_changes_no_byte(self):
        self.check_refused(stop, "stopped")

    def test_a_stopped_writer_of_puts_corrupts(self):
        self.check_corrupts(stop, "stopped")

    def test_a_writer_cut_off_past_its_lease_changes_no_byte(self):
        self.check_refused(self.cut, "cut off")

    def test_a_writer_of_puts_that_was_cut_off_corrupts(self):
        self.check_corrupts(self.cut, "cut off")


if __name__ == "__main__":
    unittest.main(verbosity=2)
