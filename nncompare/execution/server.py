"""The fork server: imports a framework once, then forks a clean child for each request.

It runs no operation of the framework, has one thread, and lives in a session of its own. Messages are JSON
over a Unix socket; a request carries two file descriptors, the channel to the coordinator, on which the
child's work waits, and the log. When the coordinator is gone, the socket closes and everything here ends.

    coordinator -> {"id": 7} + [channel, log]
    server      -> {"ready": true} | {"ready": false, "reason": "..."}      once
    server      -> {"id": 7, "pid": 1234}, later {"id": 7, "status": 9}     waitpid's status
    server      -> {"id": 7, "refusal": "BlockingIOError: ..."}             the system refused the fork
"""

from __future__ import annotations

import argparse
import fcntl
import gc
import importlib
import json
import os
import selectors
import signal
import socket
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from nncompare.execution.process import adopt_orphans, end_descendants, thread_pools

PRELOADS: dict[str, tuple[str, ...]] = {
    "none": ("numpy", "numpy.random", "threadpoolctl"),
    "sklearn": (
        "numpy",
        "sklearn.neural_network",
        "sklearn.linear_model",
        "skops.io",
        "nncompare.frameworks.sklearn",
    ),
    "keras": ("numpy", "tensorflow", "keras", "nncompare.frameworks.keras"),
}
MESSAGE_BYTES = 4096


class Server:
    """Serves one coordinator over ``sock`` until it goes away."""

    def __init__(self, sock: socket.socket) -> None:
        self._sock = sock
        self._children: dict[int, int] = {}
        self._wake_read, self._wake_write = os.pipe()

    def serve(self) -> None:
        """Fork on request and report exits; return when the coordinator has closed its end."""
        os.set_blocking(self._wake_write, False)
        signal.set_wakeup_fd(self._wake_write)
        signal.signal(signal.SIGCHLD, lambda *_: None)
        with selectors.DefaultSelector() as selector:
            selector.register(self._sock, selectors.EVENT_READ)
            selector.register(self._wake_read, selectors.EVENT_READ)
            while True:
                for key, _ in selector.select():
                    if key.fileobj is not self._sock:
                        os.read(self._wake_read, 4096)
                    elif not self._accept():
                        return
                self._reap()

    def close(self) -> None:
        """Kill every child and every orphan."""
        for pid in self._children:
            _kill_group(pid)
        end_descendants()

    def _accept(self) -> bool:
        """Take one request and fork; False when the coordinator is gone."""
        data, fds, _, _ = socket.recv_fds(self._sock, MESSAGE_BYTES, 2)
        if not data:
            return False
        message = json.loads(data)
        parent = os.getpid()
        try:
            pid = os.fork()
        except OSError as error:
            self._send({"id": message["id"], "refusal": f"{type(error).__name__}: {error.strerror}"})
        else:
            if pid == 0:
                self._become_child(fds, parent)
            self._children[pid] = message["id"]
            self._send({"id": message["id"], "pid": pid})
        finally:
            for fd in fds:
                os.close(fd)
        return True

    def _become_child(self, fds: Sequence[int], parent: int) -> None:
        from nncompare.execution import child

        try:
            os.setsid()
            signal.set_wakeup_fd(-1)
            os.close(self._wake_read)
            os.close(self._wake_write)
            self._sock.close()
            child.main(fds[0], fds[1], parent)
        finally:
            os._exit(1)  # whatever happens, a child must never go on as a server

    def _reap(self) -> None:
        """Report children that ended, and end what they left behind."""
        while True:
            try:
                pid, status = os.waitpid(-1, os.WNOHANG)
            except ChildProcessError:
                return
            if pid == 0:
                return
            if pid in self._children:
                _kill_group(pid)
                request_id = self._children.pop(pid)
                if not self._children:
                    end_descendants()  # that left their session: sure to be nobody's only while no child runs
                self._send({"id": request_id, "status": status})

    def _send(self, message: dict[str, object]) -> None:
        self._sock.sendall(json.dumps(message).encode())


def _kill_group(pid: int) -> None:
    try:
        os.killpg(pid, signal.SIGKILL)
    except (ProcessLookupError, PermissionError):
        return


@contextmanager
def ended_with_coordinator(sock: socket.socket) -> Iterator[None]:
    """Have the kernel end this process when the other end of ``sock`` closes during the block.

    An import takes up to a minute and reads no socket. The signal of the thread that started this process
    (PR_SET_PDEATHSIG) would also come when that thread ends, which is a trial's and not the coordinator.
    """
    signal.signal(signal.SIGIO, signal.SIG_DFL)  # which ends the process, also in the middle of C code
    fcntl.fcntl(sock, fcntl.F_SETOWN, os.getpid())
    flags = fcntl.fcntl(sock, fcntl.F_GETFL)
    fcntl.fcntl(sock, fcntl.F_SETFL, flags | os.O_ASYNC)
    if _is_closed(sock):  # before the kernel was asked to look
        raise SystemExit(1)
    yield
    fcntl.fcntl(sock, fcntl.F_SETFL, flags)


def _is_closed(sock: socket.socket) -> bool:
    """Tell whether the other end is closed; nothing is taken from the socket."""
    try:
        return not sock.recv(1, socket.MSG_PEEK | socket.MSG_DONTWAIT)
    except BlockingIOError:
        return False


def preload(framework: str) -> str | None:
    """Import what children of ``framework`` need; return why this process must not fork, if so."""
    importlib.import_module("nncompare.execution.child")
    for module in PRELOADS[framework]:
        try:
            importlib.import_module(module)
        except Exception as error:  # noqa: BLE001 - any failure means: fall back to fresh interpreters
            return f"importing {module} failed: {type(error).__name__}: {error}"
    thread_pools()
    threads = len(list(Path("/proc/self/task").iterdir()))
    return f"{framework} leaves {threads} threads after its import" if threads != 1 else None


def main() -> None:
    """Serve the socket whose descriptor is given on the command line."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--socket", type=int, required=True)
    parser.add_argument("--framework", required=True)
    arguments = parser.parse_args()
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    adopt_orphans()
    with socket.socket(fileno=arguments.socket) as sock:
        server = Server(sock)
        with ended_with_coordinator(sock):
            reason = preload(arguments.framework)
        sock.sendall(json.dumps({"ready": reason is None, "reason": reason}).encode())
        if reason is None:
            gc.collect()
            gc.freeze()  # the collector must not write to pages that children share
            try:
                server.serve()
            except (BrokenPipeError, ConnectionResetError):
                pass
            finally:
                server.close()


if __name__ == "__main__":
    main()
