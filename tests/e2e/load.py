"""Clients that ask a cluster again and again, and hold every stream against what one process gives."""
import http.client
import random
import threading
import time
from dataclasses import dataclass

from cluster import HttpError, oracle, recall_prompt

TYPED = {"unavailable_error", "server_error", "rate_limit_error", "timeout_error"}
PAUSE = 0.02  # after an answer that was an error


class Answers:
    """Prompts with their whole answers, from one process."""

    def __init__(self, count, lengths, max_tokens, seed=1):
        rng = random.Random(seed)
        self.max_tokens = max_tokens
        self.prompts = [recall_prompt(rng.choice(lengths), seed * 1000 + i) for i in range(count)]
        found = oracle(self.prompts, max_tokens=max_tokens, ignore_eos=True)
        self.expected = [answer["token_ids"] for answer in found]


@dataclass
class Outcome:
    """What became of one request. `how`: exact; cancelled by this client; typed, a prefix and an error with a type; cut,
    a prefix and then the router was gone; or wrong. The last three say more in `what`."""
    how: str
    start: float
    end: float
    tokens: int
    what: str


class Load:
    """Use as a context manager: `clients` threads stream until it is left. `cancel`: the share of streams that are
    left after a few tokens. `cut_allowed`: the router may be struck, which cuts its connections."""

    def __init__(self, cluster, answers, clients=4, cancel=0.0, timeout=40, seed=1, cut_allowed=False):
        self.cluster, self.answers, self.cancel, self.timeout = cluster, answers, cancel, timeout
        self.outcomes, self.lock, self.stop, self.cut_allowed = [], threading.Lock(), threading.Event(), cut_allowed
        self.threads = [threading.Thread(target=self._run, args=(random.Random(seed * 100 + i),), daemon=True)
                        for i in range(clients)]

    def __enter__(self):
        for thread in self.threads:
            thread.start()
        return self

    def __exit__(self, *unused):
        self.stop.set()
        for thread in self.threads:
            thread.join(self.timeout + 10)
            if thread.is_alive():
                raise AssertionError("a request outlived its deadline")

    def done(self):
        with self.lock:
            return list(self.outcomes)

    def count(self, how):
        return sum(1 for outcome in self.done() if outcome.how == how)

    def served_since(self, moment):
        """When the first request that began after `moment` was whole; None as long as there is none."""
        return min((o.end for o in self.done() if o.how == "exact" and o.start > moment), default=None)

    def check(self):
        """Every stream is exact, was left by its client, or is a prefix that ended as it may."""
        wrong = [outcome for outcome in self.done() if outcome.how == "wrong"]
        if wrong:
            raise AssertionError(f"{len(wrong)} wrong streams, the first: {wrong[0]}")

    def _run(self, rng):
        while not self.stop.is_set():
            place = rng.randrange(len(self.answers.prompts))
            leave_at = rng.randrange(1, self.answers.max_tokens) if rng.random() < self.cancel else None
            start, got = time.monotonic(), []
            how, what = self._ask(place, leave_at, got)
            if got != self.answers.expected[place][:len(got)]:
                how, what = "wrong", f"prompt {place} after {len(got)} tokens; {how} {what}"
            with self.lock:
                self.outcomes.append(Outcome(how, start, time.monotonic(), len(got), what))
            if how in ("typed", "cut"):
                self.stop.wait(PAUSE)

    def _ask(self, place, leave_at, got):
        """Appends what comes to `got`. Returns (how, what)."""
        connection = http.client.HTTPConnection("127.0.0.1", self.cluster.port, timeout=self.timeout)
        try:
            for event in self.cluster.stream(self.answers.prompts[place], connection=connection, ignore_eos=True,
                                             max_tokens=self.answers.max_tokens):
                for choice in event["choices"]:
                    got += choice.get("token_ids") or []
                if leave_at is not None and len(got) >= leave_at:
                    return "cancelled", ""
        except HttpError as error:
            typed = error.error.get("type") in TYPED and error.error.get("code")
            return "typed" if typed else "wrong", str(error)
        except TimeoutError:
            return "wrong", f"silent for {self.timeout} s"
        except (OSError, http.client.HTTPException, AssertionError) as error:
            return "cut" if self.cut_allowed else "wrong", repr(error)
        finally:
            connection.close()
        return ("exact", "") if len(got) == self.answers.max_tokens else ("wrong", "ended early")


def at_rest(cluster, worker):
    """True when a worker's ledger is whole and nothing is held: no page inbound, owned, lost or promised."""
    try:
        values = [cluster.metric("baton_ledger_imbalance", worker)]
        values += [cluster.metric("baton_kv_pages", worker, state=state)
                   for state in ("inbound", "owned", "quarantined", "lost", "promised")]
    except (OSError, http.client.HTTPException):
        return False  # it is on its way up
    return all(value == 0 for value in values)


def workers_at_rest(cluster):
    return all(at_rest(cluster, worker) for worker in list(cluster.workers) if worker != "router")


def all_ready(cluster):
    """True when every process of the cluster says that it is ready."""
    try:
        return all(cluster.get("/readyz", worker)[0] == 200 for worker in cluster.workers)
    except (OSError, http.client.HTTPException):
        return False
