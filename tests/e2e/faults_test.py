"""Bad days with real processes: workers killed, stopped and continued, clients gone. Streams stay exact, pages
come back, and everything ends with a typed error or an answer."""
import http.client
import json
import signal
import threading
import time
import unittest

from cluster import Cluster, HttpError, oracle, recall_prompt

TOKENS = 400


def pace(cluster, prompt, on_token, **fields):
    """Streams `prompt`; calls on_token(count) after each token; returns the ids."""
    ids = []
    for event in cluster.stream(prompt, max_tokens=TOKENS, ignore_eos=True, **fields):
        for choice in event["choices"]:
            ids += choice.get("token_ids") or []
            on_token(len(ids))
    return ids


def once(action, at):
    """A callback that runs `action` when `at` tokens have come, once."""
    state = {"done": False}

    def call(count):
        if count >= at and not state["done"]:
            state["done"] = True
            action()
    return call


class FaultsTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.prompt = recall_prompt(500, 3)
        cls.expected = oracle([cls.prompt], max_tokens=TOKENS, ignore_eos=True)[0]["token_ids"]

    def settle(self, cluster, workers):
        for worker in workers:
            cluster.wait_metric(0, "baton_ledger_imbalance", worker)
            cluster.wait_metric(0, "baton_kv_pages", worker, state="inbound")
            cluster.wait_metric(0, "baton_kv_pages", worker, state="owned")

    def victim(self, cluster, role):
        """The worker of a role that runs something now."""
        for name in sorted(cluster.workers):
            if name.startswith(role) and cluster.metric("vllm:num_requests_running", name):
                return name
        raise AssertionError(f"no {role} worker runs anything")

    def test_a_stream_survives_the_kill_of_its_decode_worker(self):
        with Cluster(decode=2) as cluster:
            kill = once(lambda: cluster.signal(self.victim(cluster, "decode"), signal.SIGKILL), 40)
            self.assertEqual(self.expected, pace(cluster, self.prompt, kill))
            self.assertGreaterEqual(cluster.metric("baton_retries_total"), 1)

    def test_prompts_survive_the_kill_of_a_prefill_worker(self):
        prompts = [recall_prompt(3000, 50 + i) for i in range(6)]
        expected = oracle(prompts, max_tokens=4)
        with Cluster(prefill=2) as cluster:
            got = [None] * len(prompts)

            def ask(i):
                got[i] = cluster.complete(prompts[i], max_tokens=4)["choices"][0]["token_ids"]
            threads = [threading.Thread(target=ask, args=(i,)) for i in range(len(prompts))]
            for thread in threads:
                thread.start()
            time.sleep(0.15)
            cluster.signal("prefill-0", signal.SIGKILL)
            for thread in threads:
                thread.join(120)
            self.assertEqual([e["token_ids"] for e in expected], got)

    def test_the_only_decode_worker_killed_is_a_typed_error_and_then_service_again(self):
        with Cluster(flags=["--no-restart"]) as cluster:
            killed = {}

            def kill():
                killed["at"] = time.monotonic()
                cluster.signal("decode-0", signal.SIGKILL)
            with self.assertRaises(HttpError) as caught:
                pace(cluster, self.prompt, once(kill, 40))
            self.assertLess(time.monotonic() - killed["at"], 3)
            self.assertEqual("unavailable_error", caught.exception.error["type"])
            with self.assertRaises(HttpError) as refused:
                cluster.complete(self.prompt, max_tokens=2)
            self.assertEqual(503, refused.exception.status)
            self.assertIn("Retry-After", refused.exception.headers)

    def test_a_stream_outlives_the_restart_of_the_only_decode_worker(self):
        with Cluster() as cluster:
            kill = once(lambda: cluster.signal("decode-0", signal.SIGKILL), 40)
            self.assertEqual(self.expected, pace(cluster, self.prompt, kill))

    def test_the_only_decode_worker_killed_is_restarted_and_serves_again(self):
        with Cluster() as cluster:
            cluster.signal("decode-0", signal.SIGKILL)
            deadline = time.monotonic() + 20
            while True:
                try:
                    got = cluster.complete(self.prompt, max_tokens=8)
                    break
                except HttpError as error:
                    self.assertEqual(503, error.status)
                    self.assertLess(time.monotonic(), deadline, "no service after the restart")
                    time.sleep(0.2)
            self.assertEqual(self.expected[:8], got["choices"][0]["token_ids"])

    def stop_and_continue(self, role, **shape):
        with Cluster(**shape) as cluster:
            stopped = []

            def stop():
                name = self.victim(cluster, role) if role == "decode" else f"{role}-0"
                stopped.append(name)
                cluster.signal(name, signal.SIGSTOP)
            ids = []
            try:
                ids = pace(cluster, self.prompt, once(stop, 30))
            finally:
                time.sleep(5)
                for name in stopped:
                    cluster.signal(name, signal.SIGCONT)
            self.assertEqual(self.expected, ids)
            again = cluster.complete(self.prompt, max_tokens=8)["choices"][0]["token_ids"]
            self.assertEqual(self.expected[:8], again)
            self.settle(cluster, [w for w in cluster.workers if w.startswith("decode")])

    def test_a_stopped_decode_worker_costs_time_alone(self):
        self.stop_and_continue("decode", decode=2)

    def test_a_stopped_prefill_worker_costs_time_alone(self):
        self.stop_and_continue("prefill", prefill=2)

    def test_prefill_stopped_in_the_middle_of_its_hand_off_writes_no_wrong_byte(self):
        prompts = [recall_prompt(3500, 90 + i) for i in range(4)]
        expected = oracle(prompts, max_tokens=4)
        with Cluster(prefill=2) as cluster:
            got = [None] * len(prompts)

            def ask(i):
                got[i] = cluster.complete(prompts[i], max_tokens=4)["choices"][0]["token_ids"]
            threads = [threading.Thread(target=ask, args=(i,)) for i in range(len(prompts))]
            for thread in threads:
                thread.start()
            time.sleep(0.2)
            cluster.signal("prefill-1", signal.SIGSTOP)
            time.sleep(5)
            cluster.signal("prefill-1", signal.SIGCONT)
            for thread in threads:
                thread.join(120)
            self.assertEqual([e["token_ids"] for e in expected], got)
            self.settle(cluster, ["decode-0"])

    def test_a_vanished_client_frees_its_pages(self):
        with Cluster() as cluster:
            connection = http.client.HTTPConnection("127.0.0.1", cluster.port, timeout=30)
            body = {"prompt": self.prompt, "max_tokens": 6000, "temperature": 0, "ignore_eos": True, "stream": True}
            connection.request("POST", "/v1/completions", json.dumps(body), {"Content-Type": "application/json"})
            response = connection.getresponse()
            response.read(400)
            self.assertGreater(cluster.metric("baton_kv_pages", "decode-0", state="owned"), 0)
            response.close()
            connection.close()
            start = time.monotonic()
            cluster.wait_metric(0, "baton_kv_pages", "decode-0", state="owned", seconds=2)
            cluster.wait_metric(0, "baton_kv_pages", "prefill-0", state="owned", seconds=2)
            print(f"pages free {1e3 * (time.monotonic() - start):.0f} ms after the client left")

    def test_a_second_signal_ends_a_stream_with_an_error_event(self):
        with Cluster(flags=["--no-restart"]) as cluster:
            first = once(lambda: cluster.signal("router", signal.SIGTERM), 20)
            second = once(lambda: cluster.signal("router", signal.SIGTERM), 40)

            def signals(count):
                first(count)
                second(count)
            with self.assertRaises(HttpError) as caught:
                for count, _ in enumerate(cluster.stream(self.prompt, max_tokens=8000, ignore_eos=True)):
                    signals(count)
            self.assertEqual("draining", caught.exception.error["code"])

    def test_sigterm_drains(self):
        with Cluster() as cluster:
            ids = []
            done = threading.Event()

            def ask():
                ids.extend(pace(cluster, self.prompt, lambda count: started.set()))
                done.set()
            started = threading.Event()
            threading.Thread(target=ask, daemon=True).start()
            self.assertTrue(started.wait(30))
            cluster.stop()
            self.assertTrue(done.wait(5))
            self.assertEqual(self.expected, ids, "a stream was cut by the drain")
            self.assertEqual(0, cluster.exit_code)


if __name__ == "__main__":
    unittest.main(verbosity=2)
