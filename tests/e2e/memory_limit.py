"""A bound on the memory of one process, by the system's control groups (version 1)."""
import os

from cluster import wait_until

GROUPS = "/sys/fs/cgroup/memory"
LIMIT = 16 << 20  # of what is taken from now on


def permitted():
    """True when groups can be made here."""
    group = os.path.join(GROUPS, f"baton-{os.getpid()}")
    try:
        os.mkdir(group)
        os.rmdir(group)
    except OSError:
        return False
    return os.path.exists(os.path.join(GROUPS, "memory.limit_in_bytes"))


class MemoryLimit:
    """Puts `pid` into a group of its own; call `remove` when it has ended."""

    def __init__(self, pid):
        self.group = os.path.join(GROUPS, f"baton-{pid}")
        os.mkdir(self.group)
        for name, value in (("memory.limit_in_bytes", LIMIT), ("cgroup.procs", pid)):
            with open(os.path.join(self.group, name), "w") as file:
                file.write(str(value))
        with open(os.path.join(self.group, "cgroup.procs")) as file:
            if str(pid) not in file.read().split():
                raise AssertionError(f"process {pid} did not enter {self.group}")

    def remove(self):
        wait_until(self._removed, 5, f"{self.group} is empty")

    def _removed(self):
        try:
            os.rmdir(self.group)
        except OSError:
            return False  # its process has not quite ended
        return True
