"""
The service under load: an open loop with Poisson arrivals, where a question's clock starts when it was due.

    python -m benchmarks.service --documents examples/documents --json benchmarks/results/service.json

Measured in one run, over one index: answers a second of an offline batch (concurrent runs of the same pipeline in one
process), of 50 users at once over HTTP, what HTTP adds for one user alone, and what share of the capacity is answered
right and in time at twice and at ten times the capacity. "Right" is: the same best answer as offline.
"""

import argparse
import asyncio
import json
import os
import random
import signal
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import httpx

from benchmarks.common.hardware import hardware, summary
from service.engine import load_engine

ROOT = Path(__file__).resolve().parents[1]
QUESTIONS = [
    "Who was named MVP of Super Bowl 50?", "Where was Super Bowl 50 played?", "Who sang the national anthem?",
    "How many people did the Black Death kill?", "When did the Black Death reach Europe?",
    "Who patented a steam engine in 1698?", "What did James Watt improve?", "Which team won Super Bowl 50?",
    "What bacterium caused the plague?", "Who was the halftime headliner?", "When was the Newcomen engine invented?",
    "Where did the plague originate?", "How efficient are steam turbines?", "Who coached the Broncos?",
    "What is a flywheel used for?", "Which network broadcast the game?",
]  # fmt: skip
Ask = dict[str, Any]


def best_answer(result: Any) -> str | None:
    return result["answers"][0]["answer"] if result["answers"] else None


async def offline(store: Path, count: int) -> tuple[float, dict[str, str | None]]:
    """Answers a second of concurrent runs in this process, and the best answer to each question."""
    engine = load_engine("embedded", {**os.environ, "EXCERPT_STORE": str(store)})
    engine.warm_up()

    at_once = asyncio.Semaphore(50)  # as many as there are users later; a reader gives up what waits for too long

    async def one(question: str) -> str | None:
        async with at_once:
            deadline = time.monotonic() + 600
            answers = (await engine.answer(question, filters=None, top_k=1, deadline=deadline)).answers
        return next((answer.data for answer in answers if answer.data is not None), None)

    right = dict(zip(QUESTIONS, await asyncio.gather(*map(one, QUESTIONS)), strict=True))
    asked = [QUESTIONS[number % len(QUESTIONS)] for number in range(count)]
    begin = time.perf_counter()
    await asyncio.gather(*map(one, asked))
    rate = count / (time.perf_counter() - begin)
    engine.close()
    return rate, right


async def users(client: httpx.AsyncClient, number: int, count: int) -> float:
    """Answers a second of so many users, each of whom asks again as soon as the answer is there."""
    waiting = [QUESTIONS[one % len(QUESTIONS)] for one in range(count)]

    async def user() -> None:
        while waiting:
            reply = await client.post("/ask", json={"question": waiting.pop(), "top_k": 1})
            reply.raise_for_status()

    begin = time.perf_counter()
    await asyncio.gather(*(user() for _ in range(number)))
    return count / (time.perf_counter() - begin)


async def added(client: httpx.AsyncClient, count: int) -> dict[str, float]:
    """Milliseconds that HTTP adds for one user alone: the reply's time without that of the pipeline's stages."""
    over = []
    for number in range(count):
        begin = time.perf_counter()
        reply = await client.post("/ask", json={"question": QUESTIONS[number % len(QUESTIONS)], "top_k": 1})
        took = 1000 * (time.perf_counter() - begin)
        stages = reply.json()["timings"]
        over.append(took - sum(value for name, value in stages.items() if name != "total"))
    return summary(over)


async def open_loop(
    client: httpx.AsyncClient, rate: float, seconds: float, deadline: float, right: dict[str, str | None]
) -> dict[str, Any]:
    """Questions arrive by chance, `rate` a second, whether or not earlier ones are answered."""
    chance = random.Random(7)
    due, moment = [], 0.0
    while moment < seconds:
        moment += chance.expovariate(rate)
        due.append(moment)
    begin = time.perf_counter()
    outcomes: list[tuple[str, float]] = []

    async def one(number: int, when: float) -> None:
        await asyncio.sleep(max(0.0, begin + when - time.perf_counter()))
        question = QUESTIONS[number % len(QUESTIONS)]
        sent = time.perf_counter()
        try:
            reply = await client.post("/ask", json={"question": question, "top_k": 1})
        except httpx.HTTPError:
            outcomes.append(("no reply", 0.0))
            return
        now = time.perf_counter()
        if reply.status_code != 200:
            outcomes.append(("refused" if reply.status_code in (429, 503) else str(reply.status_code), now - sent))
        elif now - begin - when > deadline:
            outcomes.append(("late", now - begin - when))
        else:
            outcomes.append(("right" if best_answer(reply.json()) == right[question] else "other", now - begin - when))

    await asyncio.gather(*(one(number, when) for number, when in enumerate(due)))
    took = max(seconds, time.perf_counter() - begin)
    kinds = sorted({kind for kind, _ in outcomes})
    return {
        "arrivals_a_second": round(rate, 2),
        "counts": {kind: sum(one == kind for one, _ in outcomes) for kind in kinds},
        "right_in_time_a_second": round(sum(kind == "right" for kind, _ in outcomes) / took, 3),
        "refusal_ms": summary([1000 * value for kind, value in outcomes if kind == "refused"] or [0.0]),
        "answer_seconds": summary([value for kind, value in outcomes if kind == "right"] or [0.0]),
    }


async def measure(options: argparse.Namespace, store: Path) -> dict[str, Any]:
    batch, right = await offline(store, options.count)
    command = [sys.executable, "-m", "cli.main", "serve", "--port", "0", "--store", str(store)]
    with tempfile.TemporaryDirectory() as data:
        server = subprocess.Popen([*command, "--data", data], stdout=subprocess.PIPE, text=True, cwd=ROOT)
        try:
            assert server.stdout is not None
            address = server.stdout.readline().split()[-1]
            limits = httpx.Limits(max_connections=2000)
            headers = {"X-Request-Timeout": f"{options.deadline:g}"}
            patient = {"X-Request-Timeout": "120"}  # the fifty are measured, not refused
            async with httpx.AsyncClient(base_url=address, timeout=120, limits=limits, headers=patient) as client:
                await users(client, 8, 16)
                alone = await added(client, 20)
                rates = [await users(client, 50, options.count) for _ in range(3)]
                capacity = statistics.median(rates)
                client.headers.update(headers)
                loads = {
                    f"{times}x": await open_loop(client, times * capacity, options.seconds, options.deadline, right)
                    for times in (0.7, 2, 10)
                }
        finally:
            server.send_signal(signal.SIGTERM)
            server.wait(60)
    for load in loads.values():
        load["of_capacity"] = round(load["right_in_time_a_second"] / capacity, 3)
    return {
        "offline_answers_a_second": round(batch, 3),
        "fifty_users_answers_a_second": summary(rates),
        "fifty_users_against_offline": round(capacity / batch, 3),
        "added_by_http_ms": alone,
        "deadline_seconds": options.deadline,
        "load": loads,
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--documents", nargs="+", default=["examples/documents"])
    parser.add_argument("--count", type=int, default=160, help="questions in the offline batch and of the 50 users")
    parser.add_argument("--seconds", type=float, default=20, help="of arrivals at each load")
    parser.add_argument("--deadline", type=float, default=10, help="seconds after which an answer is late")
    parser.add_argument("--json", type=Path)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        store = Path(folder) / "index"
        command = [sys.executable, "-m", "cli.main", "index", "--store", str(store), *options.documents]
        subprocess.run(command, check=True, cwd=ROOT)
        result = asyncio.run(measure(options, store))
    result["hardware"] = hardware(["torch", "haystack-ai", "uvicorn", "hayhooks"])
    text = json.dumps(result, indent=1)
    print(text)
    if options.json:
        options.json.write_text(text + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
