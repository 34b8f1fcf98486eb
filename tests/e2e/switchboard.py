"""The test's end of `baton-faults`: roles dial in, points are armed in them, and who stands there is waited for."""
import os
import socket
import tempfile
import threading


class Role:
    """One process that dialled in."""

    def __init__(self, connection):
        self.connection, self.pid, self.stands_at = connection, None, []

    def say(self, line):
        try:
            self.connection.sendall((line + "\n").encode())
        except OSError:
            pass  # it was ended


class Switchboard:
    """Use as a context manager; give `environment` to the cluster. `puts`: frames land as one-sided puts would."""

    def __init__(self, puts=False):
        self.puts = puts

    def __enter__(self):
        self.folder = tempfile.TemporaryDirectory(prefix="baton-faults-")
        path = os.path.join(self.folder.name, "socket")
        self.listener = socket.socket(socket.AF_UNIX)
        self.listener.bind(path)
        self.listener.listen(64)
        self.environment = {**os.environ, "BATON_FAULTS": path}
        if self.puts:
            self.environment["BATON_FAULTS_PUTS"] = "1"
        self.news, self.roles = threading.Condition(), {}
        threading.Thread(target=self._accept, daemon=True).start()
        return self

    def __exit__(self, *unused):
        self.listener.close()
        for role in list(self.roles.values()):
            role.connection.close()
        self.folder.cleanup()

    def _accept(self):
        while True:
            try:
                connection, _ = self.listener.accept()
            except OSError:
                return
            threading.Thread(target=self._hear, args=(Role(connection),), daemon=True).start()

    def _hear(self, role):
        try:
            for line in role.connection.makefile():
                word, _, rest = line.strip().partition(" ")
                with self.news:
                    if word == "hello":
                        role.pid = int(rest)
                        self.roles[role.pid] = role
                    else:
                        role.stands_at.append(rest)
                    self.news.notify_all()
        except (OSError, ValueError):
            pass  # it was ended

    def role(self, pid, seconds=10):
        with self.news:
            if not self.news.wait_for(lambda: pid in self.roles, seconds):
                raise AssertionError(f"process {pid} did not dial in")
            return self.roles[pid]

    def arm(self, pid, point, nth=1):
        """The process stands still at the nth pass of `point` from now, until `go`, 10 s at most."""
        self.role(pid).say(f"arm {point} {nth}")

    def wait_stands(self, pid, point, seconds=10):
        """True when the process stands at an armed point."""
        role = self.role(pid)
        with self.news:
            return self.news.wait_for(lambda: point in role.stands_at, seconds)

    def go(self, pid):
        self.role(pid).say("go")

    def eat(self, pid):
        """The process takes memory until the system ends it."""
        self.role(pid).say("eat")
