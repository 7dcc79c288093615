"""A real HTTP server on this machine, which answers as the test says and counts what it was asked for."""

import hashlib
import threading
import time
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from nncompare.data.download import RemoteFile

BODY = bytes(range(256)) * 1000
DIGEST = hashlib.sha256(BODY).hexdigest()


def serve_body(request, body=BODY):
    request.send_response(200)
    request.send_header("Content-Length", str(len(body)))
    request.end_headers()
    request.wfile.write(body)


def serve_404(request):
    request.send_error(404)


def serve_half(request):
    """Promise everything, send half of it and hang up."""
    request.send_response(200)
    request.send_header("Content-Length", str(len(BODY)))
    request.end_headers()
    request.wfile.write(BODY[: len(BODY) // 2])


def serve_half_unannounced(request):
    """Send half without saying how much it will be."""
    request.send_response(200)
    request.end_headers()
    request.wfile.write(BODY[: len(BODY) // 2])


def serve_other_content(request):
    serve_body(request, bytes(len(BODY)))


def serve_too_much(request):
    serve_body(request, BODY + b"more")


def serve_trickle(request):
    """Send one byte after the other until nobody listens any more."""
    request.send_response(200)
    request.send_header("Content-Length", str(len(BODY)))
    request.end_headers()
    for position in range(len(BODY)):
        request.wfile.write(BODY[position : position + 1])
        time.sleep(0.01)


class FileServer:
    """Answers the n-th request with the n-th of ``answers``, and all later ones with the last.

    ``release`` lets answers that wait for it go on; it is set when the server ends.
    """

    def __init__(self, *answers):
        self.answers = list(answers)
        self.asked = []
        self.lock = threading.Lock()
        self.started, self.release = threading.Event(), threading.Event()

    def serve_slowly(self, request):
        """Send half, then wait."""
        request.send_response(200)
        request.send_header("Content-Length", str(len(BODY)))
        request.end_headers()
        request.wfile.write(BODY[: len(BODY) // 2])
        request.wfile.flush()
        self.started.set()
        self.release.wait(60)
        request.wfile.write(BODY[len(BODY) // 2 :])

    def answer(self, request):
        with self.lock:
            position = len(self.asked)
            self.asked.append(request.path)
        self.answers[min(position, len(self.answers) - 1)](request)

    def file(self, name="data.bin", **changes):
        fields = {
            "name": name,
            "url": f"{self.address}/{name}",
            "n_bytes": len(BODY),
            "digest": f"sha256:{DIGEST}",
        }
        return RemoteFile(**(fields | changes))


@contextmanager
def serving(*answers):
    """Run a server for the block; strings among ``answers`` name methods of the server."""
    ours = FileServer()
    ours.answers = [getattr(ours, answer) if isinstance(answer, str) else answer for answer in answers]

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self):
            try:
                ours.answer(self)
            except (BrokenPipeError, ConnectionResetError):
                self.close_connection = True  # the other side was killed, or has heard enough

        def log_message(self, *arguments):
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        ours.address = f"http://127.0.0.1:{server.server_port}"
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
        thread.start()
        try:
            yield ours
        finally:
            ours.release.set()
            server.shutdown()
            thread.join()
