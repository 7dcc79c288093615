"""Downloads from a real server: what works, every way in which it can fail, and that nothing partial stays."""

import errno
import hashlib
import os
import re
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest

from nncompare.data import connections, download
from nncompare.data.download import Transfer, fetch, find_file, given_file, listening
from nncompare.exceptions import DataError, DataUnavailableError, StorageError

from . import file_server
from .children import wait_until
from .file_server import BODY, serve_body, serving

REMEDY = (
    "download https://home.example/data/data.bin yourself, put it into a folder as data.bin, and set NNCOMPARE_"
)


@pytest.fixture(autouse=True)
def directly(monkeypatch):
    """Ask the servers of these tests, and without pauses."""
    monkeypatch.delenv("NNCOMPARE_DATA_MIRROR")
    monkeypatch.setattr(download, "PAUSE_S", 0.0)


def names(folder):
    """Return what lies in a folder of downloads, but its locks."""
    return sorted(path.name for path in Path(folder).iterdir() if path.suffix != ".lock")


def heard(file, folder):
    """Fetch, and return the path and what a listener was told."""
    transfers = []
    with listening(transfers.append):
        return fetch(file, folder), transfers


def test_fetch_downloads_once(tmp_path):
    with serving(serve_body) as server:
        path, transfers = heard(server.file(), tmp_path / "new" / "folder")
        assert fetch(server.file(), tmp_path / "new" / "folder") == path
        assert server.asked == ["/data.bin"]
    assert path.read_bytes() == BODY
    assert names(path.parent) == ["data.bin"]
    source = server.address.removeprefix("http://")
    assert transfers[0] == Transfer("data.bin", source, 0, len(BODY), "receiving")
    assert transfers[-1] == Transfer("data.bin", source, len(BODY), len(BODY), "done")
    assert {transfer.state for transfer in transfers[1:-1]} == {"receiving"}


def test_fetch_reads_md5_digests(tmp_path):
    with serving(serve_body) as server:
        digest = f"md5:{hashlib.md5(BODY).hexdigest()}"
        assert fetch(server.file(digest=digest), tmp_path).read_bytes() == BODY


def test_fetch_replaces_a_file_with_another_digest(tmp_path):
    (tmp_path / "data.bin").write_bytes(b"half of it")
    with serving(serve_body) as server:
        assert fetch(server.file(), tmp_path).read_bytes() == BODY


def test_fetch_whole_file_is_used_where_nothing_can_be_written(tmp_path, monkeypatch):
    (tmp_path / "data.bin").write_bytes(BODY)
    monkeypatch.setattr(Path, "mkdir", None)
    monkeypatch.setattr(download, "_download", None)
    with serving(serve_body) as server:
        assert fetch(server.file(), tmp_path) == tmp_path / "data.bin"
        assert server.asked == []


@pytest.mark.parametrize(
    ("answer", "cause"),
    [
        ("serve_404", "HTTPError: 404 Not Found."),
        ("serve_half", "IncompleteRead: IncompleteRead(128000 bytes read, 128000 more expected)."),
        ("serve_half_unannounced", "WrongContent: the server sent 128,000 of 256,000 bytes."),
        ("serve_other_content", "WrongContent: what came is sha256:"),
        ("serve_too_much", "WrongContent: the server sends more than the 256,000 bytes of the file."),
    ],
)
def test_fetch_failure_says_what_and_what_to_do(tmp_path, monkeypatch, answer, cause):
    with serving(getattr(file_server, answer)) as server:
        monkeypatch.setenv("NNCOMPARE_DATA_MIRROR", server.address)
        file = server.file(url="https://home.example/data/data.bin")
        transfers = []
        with listening(transfers.append), pytest.raises(DataUnavailableError) as caught:
            fetch(file, tmp_path)
        assert server.asked == ["/data.bin"] * 2
    text = str(caught.value)
    source = server.address.removeprefix("http://")
    assert text.startswith(f"'data.bin' could not be fetched from {source} in 2 tries. {cause}")
    assert REMEDY in text
    assert names(tmp_path) == []
    assert [transfers[0].state, transfers[-1].state] == ["receiving", "failed"]


def test_fetch_failure_keeps_the_older_file(tmp_path):
    (tmp_path / "data.bin").write_bytes(b"older")
    with serving(file_server.serve_404) as server, pytest.raises(DataUnavailableError):
        fetch(server.file(), tmp_path)
    assert (tmp_path / "data.bin").read_bytes() == b"older"


def test_fetch_refused_connection(tmp_path):
    with serving(serve_body) as server:
        file = server.file()
    with pytest.raises(DataUnavailableError, match=r"ConnectionRefusedError: \[Errno 111\] Connection refused\."):
        fetch(file, tmp_path)
    assert names(tmp_path) == []


def test_fetch_unknown_host(tmp_path, monkeypatch):
    def unknown(*_arguments):
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")

    monkeypatch.setattr(socket, "getaddrinfo", unknown)
    with serving(serve_body) as server:
        file = server.file(url="http://no-such-host.invalid/data.bin")
    with pytest.raises(DataUnavailableError, match=r"from no-such-host\.invalid in 2 tries\. gaierror: "):
        fetch(file, tmp_path)


def test_fetch_stalled_server_is_given_up(tmp_path, monkeypatch):
    monkeypatch.setattr(download, "TIMEOUTS_S", (1.0, 0.1))
    with serving("serve_slowly") as server:
        with pytest.raises(DataUnavailableError, match=r"TimeoutError: timed out\."):
            fetch(server.file(), tmp_path)
        assert len(server.asked) == 2
    assert names(tmp_path) == []


def test_fetch_trickle_is_given_up(tmp_path, monkeypatch):
    monkeypatch.setattr(download, "PATIENCE_S", 0.1)
    with serving(file_server.serve_trickle) as server:
        with pytest.raises(DataUnavailableError) as caught:
            fetch(server.file(), tmp_path)
        assert len(server.asked) == 1
    assert re.search(
        r" in 1 try\. TooSlow: [\d,]+ bytes came in \d+ s, and less than 20,000 bytes/s ", str(caught.value)
    )
    assert names(tmp_path) == []


def raw(head, again=b"", pause=0.01):
    """Answer with ``head``, and then with ``again`` until nobody listens any more; never through a buffer."""

    def answer(request):
        request.wfile.write(head)
        while again:
            request.wfile.write(again)
            time.sleep(pause)

    return answer


CHUNKED = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
CONTINUE = b"HTTP/1.1 100 Continue\r\n\r\n"
ALL_OF_IT = b"%x\r\n%b\r\n" % (len(BODY), BODY)

NEVER_A_BODY = {
    "header": (b"HTTP/1.1 200 OK\r\n", b"a"),
    "100 Continue": (CONTINUE, CONTINUE),
    "size of a chunk": (CHUNKED, b"0"),
    "extension of a chunk": (CHUNKED + b"1;", b"x"),
    "trailers": (CHUNKED + ALL_OF_IT + b"0\r\n", b"t: 1\r\n"),
}


@pytest.mark.parametrize("where", NEVER_A_BODY)
def test_fetch_trickle_that_is_no_body_is_given_up(tmp_path, monkeypatch, where):
    monkeypatch.setattr(download, "PATIENCE_S", 0.1)
    monkeypatch.setattr(download, "SLOWEST_BYTES_PER_S", 1e9)
    with (
        serving(raw(*NEVER_A_BODY[where])) as server,
        pytest.raises(DataUnavailableError, match=r" in 1 try\. TooSlow: "),
    ):
        fetch(server.file(), tmp_path)
    assert names(tmp_path) == []


@pytest.mark.parametrize("where", ["100 Continue", "trailers"])  # the lines of chunks have a limit
def test_fetch_flood_that_is_no_body_is_given_up(tmp_path, monkeypatch, where):
    monkeypatch.setattr(download, "OVERHEAD_BYTES", 10_000)
    head, again = NEVER_A_BODY[where]
    with (
        serving(raw(head, again * 4096, pause=0.0)) as server,
        pytest.raises(DataUnavailableError, match=r" in 2 tries\. WrongContent: .* far more than the file"),
    ):
        fetch(server.file(), tmp_path)
    assert names(tmp_path) == []


def test_fetch_trickle_of_a_proxy_is_given_up(tmp_path, monkeypatch):
    monkeypatch.setattr(download, "PATIENCE_S", 0.1)
    with serving(raw(*NEVER_A_BODY["header"])) as server:
        monkeypatch.setenv("http_proxy", server.address)
        with pytest.raises(DataUnavailableError, match=r"from home\.invalid in 1 try\. TooSlow: "):
            fetch(server.file(url="http://home.invalid/data.bin"), tmp_path)


def test_fetch_through_a_proxy(tmp_path, monkeypatch):
    with serving(serve_body) as server:
        monkeypatch.setenv("http_proxy", server.address)
        assert fetch(server.file(url="http://home.invalid/data.bin"), tmp_path).read_bytes() == BODY
        assert server.asked == ["http://home.invalid/data.bin"]


def test_fetch_end_that_comes_late_is_not_too_slow(tmp_path, monkeypatch):
    def serve_then_wait(request):
        request.wfile.write(b"HTTP/1.1 200 OK\r\n\r\n" + small)
        time.sleep(0.2)

    monkeypatch.setattr(download, "PATIENCE_S", 0.1)
    monkeypatch.setattr(download, "SLOWEST_BYTES_PER_S", 1e9)
    small = BODY[:100]
    with serving(serve_then_wait) as server:
        file = server.file(n_bytes=100, digest=f"sha256:{hashlib.sha256(small).hexdigest()}")
        assert fetch(file, tmp_path).read_bytes() == small


@pytest.mark.parametrize("encoding", ["gzip", "br, zstd", "x\x1b[2J"])
def test_fetch_encoded_body_is_refused(tmp_path, encoding):
    head = f"HTTP/1.1 200 OK\r\nContent-Encoding: {encoding}\r\nContent-Length: 256000\r\n\r\n"
    with (
        serving(raw(head.encode() + BODY)) as server,
        pytest.raises(DataUnavailableError) as caught,
    ):
        fetch(server.file(), tmp_path)
    shown = encoding.replace("\x1b", "?")
    assert f" in 2 tries. WrongContent: the server sends it as '{shown}'. " in str(caught.value)


def test_fetch_body_of_a_redirect_is_not_read(tmp_path, monkeypatch):
    monkeypatch.setattr(download, "TIMEOUTS_S", (1.0, 0.5))

    def redirect(request):
        request.wfile.write(b"HTTP/1.1 302 Found\r\nLocation: /other.bin\r\n\r\nbody")
        ours.release.wait(60)

    with serving(redirect, serve_body) as ours:
        assert fetch(ours.file(), tmp_path).read_bytes() == BODY
        assert ours.asked == ["/data.bin", "/other.bin"]


@pytest.mark.parametrize(
    "location", ["http://[canary", "ftp://me:canary@other.invalid/", "http://me:canary@.x..y/"]
)
def test_fetch_redirect_to_no_address(tmp_path, location):
    head = f"HTTP/1.1 302 Found\r\nLocation: {location}\r\nContent-Length: 0\r\n\r\n"
    with (
        serving(raw(head.encode())) as server,
        pytest.raises(DataUnavailableError, match=r" in 2 tries\. \w+: the address .*cannot be used\.") as caught,
    ):
        fetch(server.file(), tmp_path)
    assert "canary" not in str(caught.value)


@pytest.mark.parametrize(
    "proxy", ["http://me:canary@", "http://me:can ary@[::1:3", "http://me:canary@127.0.0.1:port"]
)
def test_fetch_proxy_that_is_no_address(tmp_path, monkeypatch, proxy):
    monkeypatch.setenv("http_proxy", proxy)
    with (
        serving(serve_body) as server,
        pytest.raises(DataUnavailableError, match=r" in 2 tries\. \w+: .*cannot be used\.") as caught,
    ):
        fetch(server.file(url="http://home.invalid/data.bin"), tmp_path)
    assert "can" not in str(caught.value).replace("cannot", "")


def test_fetch_reason_of_a_server_is_printable_and_short(tmp_path):
    head = b"HTTP/1.1 404 \x1b[2J" + b"A" * 3000 + b"\r\nContent-Length: 0\r\n\r\n"
    with (
        serving(raw(head)) as server,
        pytest.raises(DataUnavailableError, match=r"HTTPError: 404 \?\[2JA{96}\. Run again"),
    ):
        fetch(server.file(), tmp_path)


def test_fetch_first_line_that_is_no_answer_is_printable(tmp_path):
    with (
        serving(raw(b"\x1b[2J" + b"A" * 3000 + b"\r\n\r\n")) as server,
        pytest.raises(DataUnavailableError, match=r"BadStatusLine: \?\[2JA+\. Run again") as caught,
    ):
        fetch(server.file(), tmp_path)
    assert "A" * 301 not in str(caught.value)


def test_fetch_partial_that_is_a_link_is_not_written_through(tmp_path):
    precious, folder = tmp_path / "precious", tmp_path / "own"
    precious.write_text("precious")
    folder.mkdir()
    (folder / ".data.bin.part").symlink_to(precious)
    with serving(serve_body) as server:
        path = fetch(server.file(), folder)
    assert precious.read_text() == "precious"
    assert path.read_bytes() == BODY
    assert not path.is_symlink()


class Dropped:
    """A network where one of the addresses of ``many.invalid`` answers, or none; what waits moves the clock."""

    def __init__(self, addresses, answering=None):
        self.addresses, self.answering = addresses, answering
        self.looked_up, self.waits, self.now = [], [], 0.0
        self.connect_truly = socket.socket.connect

    def getaddrinfo(self, host, port, *_kind):
        if host == "many.invalid":
            self.looked_up.append(host)
        found = self.addresses if host == "many.invalid" else [host]
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (address, port)) for address in found]

    def connect(self, sock, address):
        self.waits.append(round(sock.gettimeout(), 3))
        if address[0] == self.answering:
            return self.connect_truly(sock, address)
        self.now += sock.gettimeout()
        raise TimeoutError("timed out")


@pytest.fixture
def dropped(monkeypatch):
    def install(*arguments):
        network = Dropped(*arguments)
        monkeypatch.setattr(socket, "getaddrinfo", network.getaddrinfo)
        monkeypatch.setattr(socket.socket, "connect", lambda sock, address: network.connect(sock, address))
        monkeypatch.setattr(connections, "monotonic", lambda: network.now)
        return network

    return install


@pytest.mark.parametrize("scheme", ["http", "https"])
@pytest.mark.parametrize(("n_addresses", "waits"), [(1, [5.0]), (2, [2.0, 3.0]), (16, [2.0, 2.0, 1.0])])
def test_fetch_dropped_addresses_share_one_limit_and_one_try(tmp_path, dropped, scheme, n_addresses, waits):
    network = dropped([f"192.0.2.{number}" for number in range(n_addresses)])
    with serving(serve_body) as server:
        file = server.file(url=f"{scheme}://many.invalid/data.bin")
    with pytest.raises(DataUnavailableError, match=r"from many\.invalid in 1 try\. TimeoutError: timed out\."):
        fetch(file, tmp_path)
    assert (network.looked_up, network.waits) == (["many.invalid"], waits)


def test_fetch_second_address_answers(tmp_path, dropped):
    network = dropped(["192.0.2.1", "127.0.0.1", "192.0.2.2"], "127.0.0.1")
    with serving(serve_body) as server:
        file = server.file(url=server.address.replace("127.0.0.1", "many.invalid") + "/data.bin")
        assert fetch(file, tmp_path).read_bytes() == BODY
    assert network.waits == [2.0, 2.0]


def test_fetch_broken_setting_of_the_network_is_no_fault_of_the_disk(tmp_path, monkeypatch):
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(tmp_path / "missing.pem"))
    with serving(serve_body) as server:
        file = server.file(url=server.address.replace("http:", "https:") + "/data.bin")
        with pytest.raises(
            DataUnavailableError, match=r"in 2 tries\. OSError: Could not find a suitable TLS CA cert"
        ):
            fetch(file, tmp_path / "cache")


@pytest.mark.parametrize("first", ["serve_404", "serve_half", "serve_other_content", "serve_too_much"])
def test_fetch_second_try_succeeds(tmp_path, first):
    with serving(getattr(file_server, first), serve_body) as server:
        assert fetch(server.file(), tmp_path).read_bytes() == BODY
    assert names(tmp_path) == ["data.bin"]


def test_fetch_says_nothing_on_the_terminal(tmp_path, capfd):
    with serving(file_server.serve_404, serve_body) as server:
        fetch(server.file(), tmp_path)
    assert capfd.readouterr() == ("", "")


@pytest.mark.parametrize(("owner", "name"), [(download.os, "fsync"), (Path, "replace")])
def test_fetch_full_disk_leaves_what_was_there(tmp_path, monkeypatch, owner, name):
    def no_room(*_arguments):
        raise OSError(errno.ENOSPC, "No space left on device")

    (tmp_path / "data.bin").write_bytes(b"older")
    monkeypatch.setattr(owner, name, no_room)
    with serving(serve_body) as server:
        transfers = []
        with listening(transfers.append), pytest.raises(StorageError) as caught:
            fetch(server.file(), tmp_path)
        assert server.asked == ["/data.bin"]
    assert str(caught.value).startswith(
        f"Cannot write '{tmp_path / 'data.bin'}' (256,000 bytes). OSError: No space left on device. Free some"
    )
    assert names(tmp_path) == ["data.bin"]
    assert (tmp_path / "data.bin").read_bytes() == b"older"
    assert transfers[-1].state == "failed"


LIMITED = """
import resource, signal, sys
from pathlib import Path
from nncompare.data.download import RemoteFile, fetch
from nncompare.exceptions import StorageError

signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, 100_000))
url, n_bytes, digest, folder = sys.argv[1:]
try:
    fetch(RemoteFile("data.bin", url, int(n_bytes), digest), Path(folder))
except StorageError as error:
    print(error)
"""


def test_fetch_file_size_limit(tmp_path):
    with serving(serve_body) as server:
        done = run_python(LIMITED, server.file(), tmp_path)
    assert "OSError: File too large." in done.stdout, done.stderr
    assert names(tmp_path) == []


def test_fetch_folder_without_rights(tmp_path):
    (tmp_path / "a file").write_text("")
    with (
        serving(serve_body) as server,
        pytest.raises(StorageError, match=r"Cannot write .*a file/below/data\.bin"),
    ):
        fetch(server.file(), tmp_path / "a file" / "below")


FETCH = """
import sys
from dataclasses import asdict
from pathlib import Path
from nncompare.data.download import RemoteFile, fetch, listening

url, n_bytes, digest, folder = sys.argv[1:]
with listening(lambda transfer: print(transfer.state, flush=True)):
    path = fetch(RemoteFile("data.bin", url, int(n_bytes), digest), Path(folder))
print(path.stat().st_size)
"""


def command(code, file, folder):
    return [sys.executable, "-c", code, file.url, str(file.n_bytes), file.digest, str(folder)]


def run_python(code, file, folder):
    return subprocess.run(command(code, file, folder), capture_output=True, text=True, check=False)


def start(file, folder):
    return subprocess.Popen(command(FETCH, file, folder), stdout=subprocess.PIPE, text=True)


def test_fetch_two_processes_download_once(tmp_path):
    with serving("serve_slowly") as server:
        with start(server.file(), tmp_path) as first:
            assert server.started.wait(30)
            with start(server.file(), tmp_path) as second:
                assert second.stdout.readline() == "waiting\n"
                server.release.set()
                assert second.stdout.read().split() == ["done", str(len(BODY))]
            assert first.stdout.read().split()[-2:] == ["done", str(len(BODY))]
        assert server.asked == ["/data.bin"]
    assert names(tmp_path) == ["data.bin"]


def test_fetch_after_a_killed_download(tmp_path):
    with serving("serve_slowly", serve_body) as server:
        with start(server.file(), tmp_path) as child:
            assert server.started.wait(30)
            wait_until(lambda: any(tmp_path.glob(".data.bin.part")))
            os.kill(child.pid, signal.SIGKILL)
        assert names(tmp_path) == [".data.bin.part"]
        assert fetch(server.file(), tmp_path).read_bytes() == BODY
    assert names(tmp_path) == ["data.bin"]


def test_fetch_mirror_stands_for_all_before_the_file_name(tmp_path, monkeypatch):
    with serving(serve_body) as server:
        monkeypatch.setenv("NNCOMPARE_DATA_MIRROR", f"{server.address}/mirror/of/data/")
        file = server.file(url="https://home.example/far/away/data.bin")
        assert fetch(file, tmp_path).read_bytes() == BODY
        assert server.asked == ["/mirror/of/data/data.bin"]


@pytest.mark.parametrize(
    "place",
    [
        "http://me:canary@{}",
        "http://me:canary@{}/canary/path",
        "https://me:canary@{}",
        "http://canary:@{}/a path",
        f"http://me:canary@{'long' * 20}.invalid",
        "http://me:canary@.invalid",
        "http://me:canary@*",
        "http://me:canary\\ary@mirror.invalid/path",
    ],
)
def test_fetch_mirror_password_is_not_told(tmp_path, monkeypatch, place):
    with serving(file_server.serve_404) as server:
        monkeypatch.setenv("NNCOMPARE_DATA_MIRROR", place.format(server.address.removeprefix("http://")))
        transfers = []
        with listening(transfers.append), pytest.raises(DataUnavailableError) as caught:
            fetch(server.file(), tmp_path)
    assert "canary" not in f"{caught.value} {transfers}"


@pytest.mark.parametrize(
    "mirror",
    [
        "me:canary@mirror.example",
        "ftp://me:canary@mirror.example",
        "https://me:canary@/path",
        "https://me:can/ary@mirror.example/path",
        "https://me:12/ary@mirror.example/path",
        "https://me:can#ary@mirror.example/path",
        "https://me:12#ary@mirror.example/path",
        "https://me:12?ary@mirror.example/path",
        "https://[me:canary@mirror.example/path",
        "https://me:canary@mirror.example:port/path",
        "https://me:canary@mirror.example:99999/path",
        "https://",
        "https://mirror.example/path?key=canary",
    ],
)
def test_fetch_mirror_that_is_no_address(tmp_path, monkeypatch, mirror):
    monkeypatch.setenv("NNCOMPARE_DATA_MIRROR", mirror)
    with serving(serve_body) as server:
        with pytest.raises(DataError) as caught:
            fetch(server.file(), tmp_path)
        for tell in (server.file().source, server.file().address):
            with pytest.raises(DataError):
                tell()
    assert str(caught.value) == (
        "NNCOMPARE_DATA_MIRROR is no address of the form https://host/path. Correct it, or unset it; in a user "
        "name or password, write : / ? # [ ] @ as %3A %2F %3F %23 %5B %5D %40."
    )


@pytest.mark.parametrize(
    ("mirror", "source"),
    [
        ("https://me:ca%2Fna%40ry@mirror.example/path", "mirror.example"),
        ("http://mirror.example:8080/path/", "mirror.example:8080"),
        ("http://me@[::1]:80", "[::1]:80"),
    ],
)
def test_remote_file_source_is_host_and_port(monkeypatch, mirror, source):
    monkeypatch.setenv("NNCOMPARE_DATA_MIRROR", mirror)
    with serving(serve_body) as server:
        assert server.file().source() == source


def test_find_file_order_and_digests(tmp_path, monkeypatch):
    given, keras, own = (tmp_path / name for name in ("given", "keras", "own"))
    places = [given / "data.bin", keras / "datasets" / "data.bin", own / "data.bin"]
    for place in places:
        place.parent.mkdir(parents=True)
        place.write_bytes(BODY)
    monkeypatch.setenv("NNCOMPARE_DATA_DIR", str(given))
    monkeypatch.setenv("KERAS_HOME", str(keras))
    with serving(serve_body) as server:
        file = server.file()
        for place in places:
            assert fetch(file, own) == place
            place.write_bytes(b"something else")
        assert find_file(file, own) is None
        assert server.asked == []
    assert given_file("data.bin") == places[0]
    assert given_file("other.bin") is None


def test_find_file_looks_into_the_home_folder_by_default(tmp_path, monkeypatch):
    monkeypatch.delenv("KERAS_HOME")
    monkeypatch.setenv("HOME", str(tmp_path))
    place = tmp_path / ".keras" / "datasets" / "data.bin"
    place.parent.mkdir(parents=True)
    place.write_bytes(BODY)
    with serving(serve_body) as server:
        assert find_file(server.file(), tmp_path / "own") == place


@pytest.mark.parametrize("value", ["no/such/folder", __file__])
def test_given_file_variable_that_is_no_folder(monkeypatch, value):
    monkeypatch.setenv("NNCOMPARE_DATA_DIR", value)
    with pytest.raises(DataError) as caught:
        given_file("data.bin")
    text = f"NNCOMPARE_DATA_DIR is '{value}', which is not a folder. Correct it, or unset it."
    assert str(caught.value) == text


def test_given_file_empty_variable_is_unset(monkeypatch):
    monkeypatch.setenv("NNCOMPARE_DATA_DIR", "")
    assert given_file("data.bin") is None


@pytest.mark.parametrize("place", ["own", "keras/datasets"])
def test_find_file_opens_no_device(tmp_path, monkeypatch, place):
    (tmp_path / place).mkdir(parents=True)
    (tmp_path / place / "data.bin").symlink_to(os.devnull)
    monkeypatch.setenv("KERAS_HOME", str(tmp_path / "keras"))
    with serving(serve_body) as server:  # what it would read of the device is the empty file
        file = server.file(n_bytes=0, digest=f"sha256:{hashlib.sha256().hexdigest()}")
    assert find_file(file, tmp_path / "own") is None


@pytest.mark.parametrize("variable", ["NNCOMPARE_DATA_DIR", "KERAS_HOME"])
def test_find_file_home_of_nobody(tmp_path, monkeypatch, variable):
    monkeypatch.setenv(variable, "~nosuchuser/data")
    with serving(serve_body) as server, pytest.raises(DataError) as caught:
        find_file(server.file(), tmp_path)
    assert str(caught.value) == (
        f"{variable} ('~nosuchuser/data') names no folder. RuntimeError: Could not determine home directory. "
        "Set it to a folder."
    )


def test_listening_ends_with_its_block(tmp_path):
    transfers = []
    with listening(transfers.append):
        pass
    with serving(serve_body) as server:
        fetch(server.file(), tmp_path)
    assert transfers == []


def test_listening_hears_of_the_bytes_no_more_than_allowed(tmp_path, monkeypatch):
    monkeypatch.setattr(download, "REPORT_EVERY_S", 3600.0)
    with serving(serve_body) as server:
        _, transfers = heard(server.file(), tmp_path)
    assert [(transfer.state, transfer.received_bytes > 0) for transfer in transfers] == [
        ("receiving", False),
        ("receiving", True),
        ("done", True),
    ]


def test_download_libraries_are_not_imported_before_a_download():
    code = (
        "import sys, nncompare.execution.tasks, nncompare.data.download\n"
        "print(*{'requests', 'filelock'} & set(sys.modules))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "\n"
