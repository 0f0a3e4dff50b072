"""Faults of a busy, broken or stopped service, on the real process: nobody waits for ever, nothing is lost."""

import asyncio
import signal
import socket
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.service.process import ServiceProcess, ask_all, statuses

Start = Callable[..., ServiceProcess]


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Start]:
    started: list[ServiceProcess] = []

    def make(**settings: Any) -> ServiceProcess:
        started.append(ServiceProcess(tmp_path, **settings))
        return started[-1]

    yield make
    for process in started:
        process.close()


@pytest.fixture(scope="module")
def busy(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServiceProcess]:
    """A service with little room: 5 questions at once in the pipeline, 15 waiting; each takes 50 ms."""
    process = ServiceProcess(
        tmp_path_factory.mktemp("busy"),
        seconds=0.05, batch=4, tokens_in_flight=20_000, tokens_waiting=60_000, receive_timeout=5.0, stall_timeout=5.0,
    )  # fmt: skip
    yield process
    process.close()


def _eventually(condition: Callable[[], bool], seconds: float = 20.0) -> None:
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "it did not come true in time"
        time.sleep(0.05)


async def test_overflow_is_refused_at_once_and_the_rest_is_answered(busy: ServiceProcess) -> None:
    replies = await ask_all(busy.address, [f"Who built tower {number}?" for number in range(200)])
    counted = statuses(replies)
    assert set(counted) == {200, 503} and counted[200] >= 15 and counted[503] >= 100
    for reply in replies:
        assert isinstance(reply, httpx.Response)
        if reply.status_code == 503:
            assert int(reply.headers["retry-after"]) >= 1 and reply.json()["error"]["code"] == "busy"
    async with httpx.AsyncClient(base_url=busy.address, timeout=30) as client:
        # Many questions in one request weigh what they would alone.
        bodies = [{"questions": [f"Who built mill {number}-{each}?" for each in range(10)]} for number in range(8)]
        many = await asyncio.gather(*(client.post("/ask", json=body) for body in bodies))
    assert {reply.status_code for reply in many} == {200, 503}


async def test_what_is_late_is_not_computed(busy: ServiceProcess) -> None:
    slow = asyncio.create_task(ask_all(busy.address, ["Who built sleep=1.0?"]))
    await asyncio.sleep(0.3)
    late = await ask_all(busy.address, ["Who is late?", "Who is too late?"], headers={"X-Request-Timeout": "0.4"})
    assert statuses(late) in ({504: 2}, {503: 2}, {503: 1, 504: 1})
    assert statuses(await slow) == {200: 1}
    assert statuses(await ask_all(busy.address, ["Who is next?"])) == {200: 1}
    assert not {"Who is late?", "Who is too late?"} & set(busy.seen())


async def test_questions_of_clients_that_left_are_dropped(busy: ServiceProcess) -> None:
    blocker = asyncio.create_task(ask_all(busy.address, ["Who built sleep=0.7?"]))
    await asyncio.sleep(0.2)

    async def leave(number: int) -> None:
        _, writer = await asyncio.open_connection("127.0.0.1", busy.port)
        body = f'{{"question": "Who left {number}?"}}'.encode()
        head = "POST /ask HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
        head += f"Content-Length: {len(body)}\r\n\r\n"
        writer.write(head.encode() + body)
        await writer.drain()
        await asyncio.sleep(0.02)
        writer.transport.abort()

    await asyncio.gather(*map(leave, range(60)))
    assert statuses(await blocker) == {200: 1}
    assert statuses(await ask_all(busy.address, ["Who stayed?"])) == {200: 1}
    assert sum("left" in question for question in busy.seen()) <= 6


async def test_one_crash_leaves_its_neighbours_alone(busy: ServiceProcess) -> None:
    questions = ["Who built sleep=0.2?", "Who built tower 1?", "crash now", "Who built tower 2?"]
    replies = await ask_all(busy.address, questions)
    assert [reply.status_code for reply in replies if isinstance(reply, httpx.Response)] == [200, 200, 500, 200]
    crashed = replies[2]
    assert isinstance(crashed, httpx.Response) and "crash" not in crashed.text and "fell over" not in crashed.text


async def test_half_open_connections_are_closed(busy: ServiceProcess) -> None:
    beginnings = [b"", b"POST /ask HT", b"POST /ask HTTP/1.1\r\nHost: localhost\r\n"]
    body = b"POST /ask HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: 50\r\n\r\n{"
    streams = []
    for number in range(200):
        reader, writer = await asyncio.open_connection("127.0.0.1", busy.port)
        writer.write([*beginnings, body][number % 4])
        streams.append((reader, writer))
    assert statuses(await ask_all(busy.address, ["Who is unhurt?"])) == {200: 1}
    async with asyncio.timeout(20):
        rests = await asyncio.gather(*(reader.read() for reader, _ in streams), return_exceptions=True)
    for number, rest in enumerate(rests):
        assert isinstance(rest, ConnectionError) or (b"408" in rest if number % 4 == 3 else rest == b"")
    for _, writer in streams:
        writer.close()


@pytest.mark.parametrize(
    ("head", "body"),
    [
        ("POST /ask", b"question=" + b"a" * 1_500_000),
        ("POST /ask", b"[" * 100_000),
        ("POST /ask", b'{"question": "a", "top_k": 1e999}'),
        ("POST /ask", b'{"question": "a", "top_k": ' + b"9" * 5000 + b"}"),
        ("POST /ask", b"\xff\xfe"),
        ("POST /documents", b"--x\r\nContent-Disposition: form-data; name=files\r\n\r\n\r\n" * 20_000 + b"--x--"),
        (
            "POST /documents",
            b'--x\r\nContent-Disposition: form-data; name="files"; filename="../../x"\r\n\r\n\r\n--x--',
        ),
        ("GET /documents/../../etc/passwd", b""),
        ("GET /documents/" + "0" * 32 + "/pages/999999999999", b""),
        ("GET /" + "a" * 60_000, b""),
        ("GET /%00", b""),
        ("GET /documents?limit=99999999999999999999", b""),
        ("BREW /ask", b""),
    ],
    ids=lambda value: repr(value)[:30],
)
async def test_a_hostile_request_is_refused(busy: ServiceProcess, head: str, body: bytes) -> None:
    kind = "multipart/form-data; boundary=x" if "documents" in head else "application/json"
    reader, writer = await asyncio.open_connection("127.0.0.1", busy.port)
    lines = f"{head} HTTP/1.1\r\nHost: localhost\r\nContent-Type: {kind}\r\nContent-Length: {len(body)}\r\n\r\n"
    writer.write(lines.encode() + body)
    async with asyncio.timeout(10):
        status = (await reader.readline()).split()[1:2]
    writer.close()
    assert status and (status[0].startswith(b"4") or (b"../../x" in body and status[0] == b"202")), status
    assert statuses(await ask_all(busy.address, ["Who is unhurt?"])) == {200: 1}


async def test_sigterm_answers_what_is_under_way(start: Start) -> None:
    process = start(seconds=0.02)
    work = asyncio.create_task(ask_all(process.address, [f"Who built tower {number}?" for number in range(50)]))
    await asyncio.sleep(0.4)
    process.send(signal.SIGTERM)
    replies = await work
    assert statuses(replies) == {200: 50}
    assert await asyncio.to_thread(process.process.wait, 20) in (0, -signal.SIGTERM)
    with pytest.raises(OSError):
        socket.create_connection(("127.0.0.1", process.port), 1)


async def test_a_frozen_process_does_not_compute_what_is_late(start: Start) -> None:
    process = start()
    process.send(signal.SIGSTOP)
    late = asyncio.create_task(
        ask_all(process.address, ["Who froze?", "Who froze too?"], headers={"X-Request-Timeout": "0.5"})
    )
    await asyncio.sleep(3.0)
    process.send(signal.SIGCONT)
    # A request that was never read begins when it is: its time counts from there. One that was read is late.
    assert set(statuses(await late)) <= {200, 504}
    assert statuses(await ask_all(process.address, ["Who goes on?"], timeout=5)) == {200: 1}
    _eventually(process.is_ready)


async def test_an_engine_that_hangs_is_told_of(start: Start) -> None:
    process = start(canary_every=0.2, ready_within=1.5, hang_after=1.5)
    assert process.is_ready()
    replies = await ask_all(process.address, ["hang for ever", "Who waits?", "Who waits too?"])
    assert statuses(replies) == {503: 3}
    assert not process.is_ready()
    dumps = list((process.folder / "data").glob("stacks-*.txt"))
    assert dumps and "_compute" in dumps[0].read_text()


async def test_what_was_acknowledged_outlives_a_kill(start: Start) -> None:
    process = start()
    async with httpx.AsyncClient(base_url=process.address, timeout=60) as client:

        async def upload(number: int) -> str:
            text = f"The number {number} was chosen by Ada Brunner.".encode()
            reply = await client.post("/documents", files={"files": (f"{number}.txt", text)})
            assert reply.status_code == 202
            return str(reply.json()["jobs"][0]["document"])

        documents = await asyncio.gather(*map(upload, range(12)))
    process.process.kill()
    process.process.wait(10)
    again = start()

    def state(document: str) -> str:
        return str(httpx.get(f"{again.address}/documents/{document}", timeout=30).json()["state"])

    _eventually(lambda: all(state(document) == "indexed" for document in documents), 60)
    reply = httpx.post(f"{again.address}/search", json={"query": "the number chosen", "limit": 50}, timeout=30).json()
    assert {one["source_id"] for one in reply["results"]} >= set(documents)


async def test_a_full_disk_is_said_and_leaves_nothing(start: Start) -> None:
    process = start(file_bytes=3_000_000)
    async with httpx.AsyncClient(base_url=process.address, timeout=60) as client:
        reply = await client.post("/documents", files={"files": ("big.txt", b"a" * 5_000_000)})
        assert (reply.status_code, reply.json()["error"]["code"]) == (507, "disk_full")
        assert list((process.folder / "data" / "uploads").iterdir()) == []
        small = await client.post("/documents", files={"files": ("small.txt", b"Ada Brunner was here.")})
        assert small.status_code == 202
