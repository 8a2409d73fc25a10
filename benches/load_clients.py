"""Whoever uses the site while runs are measured: readers with sessions, and people who upload."""

import http.client
import json
import threading
import time
import uuid
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cache

from benches.load_figures import HISTORY, Answer
from tests.composed import NAME

PATIENCE_S = 300
MARKER = b"unlike-all-others-" + b"0" * 32


@dataclass(frozen=True, slots=True)
class Door:
    """Where the site is, and what was put into it (benches.load_seed)."""

    port: int
    seeded: dict
    # How fast the lines of those who upload are.
    line_bytes_per_s: float

    def visits(self, number: int) -> list[list[tuple[str, str]]]:
        """What a reader looks at: in a visit, one page after the other, by name and address."""
        place = number % len(self.seeded["models"])
        model, run = f"/models/{self.seeded['models'][place]}/", self.seeded["runs"][place]
        # As a browser does it: the page, and then the points of its chart.
        history = [(HISTORY, model), ("history points", f"{model}history.json")]
        return [
            history,
            [("run page", f"/runs/{run}/")],
            history,
            [("list of models", "/models/")],
            history,
            [("list of runs", "/runs/"), ("home", "/")],
        ]


@dataclass
class Crowd:
    """Readers, and so many uploads at once, from entering the context until leaving it."""

    door: Door
    think_s: float
    upload_count: int
    upload_bytes: int
    answers: list[Answer] = field(default_factory=list)
    _is_over: threading.Event = field(default_factory=threading.Event)
    _threads: list[threading.Thread] = field(default_factory=list)

    def __enter__(self) -> "Crowd":
        self._is_over.clear()
        people = self.door.seeded["readers"]
        jobs = [(self._read, number) for number in range(len(people))]
        jobs += [(self._upload_again_and_again, number) for number in range(self.upload_count)]
        self._threads = [threading.Thread(target=job, args=(number,)) for job, number in jobs]
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._is_over.set()
        for thread in self._threads:
            thread.join()

    def _read(self, number: int) -> None:
        visits, turn = self.door.visits(number), number
        cookie = f"sessionid={self.door.seeded['readers'][number]['session']}"
        # They do not come all at the same moment.
        pause_s = self.think_s * number / len(self.door.seeded["readers"])
        while not self._is_over.wait(pause_s):
            with _connected(self.door.port) as line:
                for page, address in visits[turn % len(visits)]:
                    self.answers.append(_timed(line, page, address, {"Cookie": cookie}))
            turn += 1
            # Between half the time and one and a half, evenly, and the same in each bench.
            pause_s = self.think_s * (0.5 + (number * 37 + turn * 61) % 101 / 100)

    def _upload_again_and_again(self, number: int) -> None:
        token = self.door.seeded["readers"][number]["token"]
        while not self._is_over.is_set():
            self.answers.append(upload_once(self.door, token, self.upload_bytes))


def upload_at_once(door: Door, count: int, size_bytes: int) -> list[Answer]:
    """Upload ``count`` different models of that size at the same time."""
    answers: list[Answer] = []

    def one(number: int) -> None:
        token = door.seeded["readers"][number]["token"]
        answers.append(upload_once(door, token, size_bytes))

    threads = [threading.Thread(target=one, args=(number,)) for number in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return answers


def upload_once(door: Door, token: str, size_bytes: int) -> Answer:
    """Upload a model that nobody else has, and delete it again, as a script does."""
    page, began_s = f"upload of {size_bytes / 1e6:.0f} MB", time.perf_counter()
    bearer = {"Authorization": f"Bearer {token}"}
    chunks, kind = _form(size_bytes)
    length = {"Content-Type": kind, "Content-Length": str(sum(map(len, chunks)))}
    try:
        with _connected(door.port) as line:
            body = _paced(chunks, door.line_bytes_per_s)
            line.request("POST", "/api/v1/models/", body, _headers(bearer | length))
            answer = line.getresponse()
            said = answer.read()
            duration_s = time.perf_counter() - began_s
            if answer.status != 201:
                return Answer(page, duration_s, f"{answer.status} {said[:200]!r}")
            address = f"/api/v1/models/{json.loads(said)['id']}/"
            line.request("DELETE", address, headers=_headers(bearer))
            line.getresponse().read()
    except (OSError, http.client.HTTPException) as error:
        return Answer(page, time.perf_counter() - began_s, repr(error))
    return Answer(page, duration_s)


def _timed(line: "_Line", page: str, address: str, headers: dict[str, str]) -> Answer:
    began_s = time.perf_counter()
    try:
        line.request("GET", address, headers=_headers(headers))
        answer = line.getresponse()
        answer.read()
    except (OSError, http.client.HTTPException) as error:
        line.close()
        return Answer(page, time.perf_counter() - began_s, repr(error))
    fault = "" if answer.status == 200 else f"{answer.status} for {address}"
    return Answer(page, time.perf_counter() - began_s, fault)


def _paced(chunks: list[bytes], bytes_per_s: float) -> Iterator[bytes]:
    """The pieces of a body, as a line of that speed would bring them."""
    began_s, sent_bytes = time.monotonic(), 0
    for chunk in chunks:
        yield chunk
        sent_bytes += len(chunk)
        time.sleep(max(0.0, began_s + sent_bytes / bytes_per_s - time.monotonic()))


class _Line(http.client.HTTPConnection):
    """A connection that is closed at the end of its context."""

    def __enter__(self) -> "_Line":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def _connected(port: int) -> _Line:
    return _Line("127.0.0.1", port, timeout=PATIENCE_S)


def _headers(more: dict[str, str]) -> dict[str, str]:
    """What the proxy in front would add."""
    proxied = {"Host": NAME, "X-Forwarded-Proto": "https", "X-Forwarded-For": "198.51.100.7"}
    return proxied | more


def _form(size_bytes: int) -> tuple[list[bytes], str]:
    """The body of an upload in pieces, so that a thousand of them share their bytes; its type."""
    border, unlike = uuid.uuid4().hex, uuid.uuid4().hex
    before, after = _model(size_bytes)
    name = f'form-data; name="name"\r\n\r\n{unlike}\r\n'
    file = 'form-data; name="file"; filename="large.onnx"\r\n\r\n'
    start = "".join(f"--{border}\r\nContent-Disposition: {part}" for part in (name, file))
    mark = MARKER.replace(b"0" * 32, unlike.encode())
    chunks = [start.encode(), *before, mark, *after, f"\r\n--{border}--\r\n".encode()]
    return chunks, f"multipart/form-data; boundary={border}"


@cache
def _model(size_bytes: int) -> tuple[tuple[bytes, ...], tuple[bytes, ...]]:
    """A sound model of about that size, before its mark and after it."""
    from onnx import TensorProto, helper

    count = size_bytes // 4
    weights = helper.make_tensor("w", TensorProto.FLOAT, [count], bytes(4 * count), raw=True)
    tensor = helper.make_tensor_value_info
    graph = helper.make_graph(
        [helper.make_node("Add", ["x", "w"], ["y"])],
        "large",
        [tensor("x", TensorProto.FLOAT, [1])],
        [tensor("y", TensorProto.FLOAT, [count])],
        [weights],
        doc_string=MARKER.decode(),
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    before, _, after = model.SerializeToString().partition(MARKER)
    return tuple(_pieces(before)), tuple(_pieces(after))


def _pieces(content: bytes, size_bytes: int = 1_000_000) -> Iterator[bytes]:
    for start in range(0, len(content), size_bytes):
        yield content[start : start + size_bytes]
