"""Wires that a test may cut: a network namespace of its own, in which nothing but loopback is, and rules that drop what
one process says or hears. The machine's own network is never touched.

A role under `baton-faults` has a group of its own, numbered like its process: the rules know it by that, so new
connections are cut as old ones are. Nothing it says leaves; what it hears ends at the ports that it has open."""
import ctypes
import os
import subprocess

from cluster import sockets_of

CLONE_NEWNET = 0x40000000


def _quietly(*command):
    try:
        return subprocess.run(command, capture_output=True, text=True).returncode == 0
    except FileNotFoundError:
        return False


def enter():
    """Moves this process, and all that it starts from now on, into a network of its own. True when wires can be cut
    there; else says aloud why not."""
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.unshare(CLONE_NEWNET) != 0:
        print(f"no network of its own: {os.strerror(ctypes.get_errno())}", flush=True)
        return False
    if not _quietly("ip", "link", "set", "lo", "up"):
        raise SystemExit("a network of its own without loopback: install iproute2")
    rule = ("OUTPUT", "-m", "owner", "--gid-owner", "1", "-j", "DROP")
    if _quietly("iptables", "-A", *rule) and _quietly("iptables", "-D", *rule):
        return True
    print("no rule of iptables drops a group's packets here", flush=True)
    return False


def cut(pid, both_ways):
    """Drops what `pid` says, and with `both_ways` what it hears. Returns what heals the wire."""
    rules = [("-m", "owner", "--gid-owner", str(pid))]
    if both_ways:
        rules += [_towards(local, remote) for local, remote in sockets_of(pid)]
    return _drop(rules)


def cut_between(one, other):
    """Drops all that two processes say to each other, and nothing else."""
    rules = []
    for mine, theirs in ((one, other), (other, one)):
        for local, remote in sockets_of(theirs):
            peers = {port for port, _ in sockets_of(mine)}
            if remote == 0 or remote in peers:  # it listens there, or the two are connected
                rules.append((*_towards(local, remote), "-m", "owner", "--gid-owner", str(mine)))
    return _drop(rules)


def _towards(local, remote):
    """What comes to a socket. The local port alone would not do: the system gives it to connections of other processes
    too, as long as they lead elsewhere."""
    return ("-p", "tcp", "--dport", str(local), *(("--sport", str(remote)) if remote else ()))


def _drop(rules):
    for rule in rules:
        subprocess.run(["iptables", "-w", "-A", "OUTPUT", *rule, "-j", "DROP"], check=True)

    def heal():
        for rule in rules:
            subprocess.run(["iptables", "-w", "-D", "OUTPUT", *rule, "-j", "DROP"], check=True)
    return heal
