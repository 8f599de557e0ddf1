"""`make bench`: start the services, measure uploads, and set them against what this machine could reach.

    python -m tests.bench.uploads [--short] [--json bench.json] [--png bench.png]

Ratios first: the machine's noise is in both of their parts, and they compare across machines; milliseconds do not.
"""

from __future__ import annotations

import argparse
import json
import os
import platform as machine
import statistics
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import httpx

from tests.bench.baselines import GFLOP_AN_IMAGE, measure_baselines
from tests.bench.bench_table import Line, draw, print_table
from tests.bench.upload_load import Pile, cpu_s, memory_mb, picture, rate, times_s, upload
from tests.live_platform import Platform, running_platform

MOST_A_SECOND = 100
"""Uploads that are answered, about."""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--short", action="store_true", help="few uploads, two clients at most, no naive captions")
    parser.add_argument("--seconds", type=float, default=15, help="of each throughput (default: %(default)s)")
    parser.add_argument("--repeats", type=int, default=30, help="of each latency (default: %(default)s)")
    parser.add_argument("--json", type=Path)
    parser.add_argument("--png", type=Path)
    options = parser.parse_args()
    repeats, seconds = (3, 2.0) if options.short else (options.repeats, options.seconds)
    clients = (1, 2) if options.short else (1, 4, 16, 64)
    with tempfile.TemporaryDirectory(prefix="legenda-bench-") as folder:
        started = time.perf_counter()
        with running_platform(Path(folder)) as platform:
            ready_s = time.perf_counter() - started
            measured = {"ready, s": ready_s} | _latencies(platform, repeats) | _cpu(platform, repeats)
            measured |= _throughput(platform, clients, seconds)
            measured |= {f"memory of {name}, MB": value for name, value in memory_mb(platform).items()}
    measured |= measure_baselines(repeats=max(3, repeats // 3), naive=not options.short)
    lines = _lines(measured, clients[-2])
    about = f"{os.cpu_count()} cores, {machine.machine()}, {time.strftime('%Y-%m-%d')}"
    print_table(lines, about)
    if options.json:
        told = {"machine": about, "measured": measured, "lines": [vars(line) for line in lines]}
        options.json.write_text(json.dumps(told, indent=2) + "\n", encoding="utf-8")
    if options.png:
        draw(lines, options.png, about)


def _latencies(platform: Platform, repeats: int) -> dict[str, float]:
    preview = picture(512, 384)
    found: dict[str, float] = {}
    with httpx.Client(timeout=120, trust_env=False) as client:
        urls, kind = platform.service_urls, {"Content-Type": "image/jpeg"}
        stages = {
            "caption": lambda: _posted(client, f"{urls['caption']}/v1/captions?embedding=true", preview, kind),
            "label": lambda: _posted(client, f"{urls['classify']}/v1/classifications", preview, kind),
        }
        for stage, call in stages.items():
            times_s(call, 2)
            found |= _quantiles(stage, times_s(call, repeats))
    with httpx.Client(base_url=platform.url, timeout=120, trust_env=False) as client:
        pile = Pile(2 + repeats, 640, 480)
        times_s(lambda: upload(client, pile.take()), 2)
        found |= _quantiles("upload", times_s(lambda: upload(client, pile.take()), repeats))
    return found


def _posted(client: httpx.Client, url: str, body: bytes, headers: dict[str, str]) -> None:
    client.post(url, content=body, headers=headers).raise_for_status()


def _quantiles(stage: str, times: list[float]) -> dict[str, float]:
    p99 = sorted(times)[min(len(times) - 1, round(0.99 * len(times)))]
    return {f"{stage}, p50, ms": 1000 * statistics.median(times), f"{stage}, p99, ms": 1000 * p99}


def _cpu(platform: Platform, repeats: int) -> dict[str, float]:
    """Return the processor's time of gateway and storage for an upload: decoding, filing, HTTP; not the models."""
    found = {}
    with httpx.Client(base_url=platform.url, timeout=120, trust_env=False) as client:
        # The kernel counts in hundredths of a second, so of short ones it takes many.
        kinds = {"224 px": (224, 168, 3 * repeats), "12 megapixels": (4000, 3000, max(3, repeats // 2))}
        for name, (width, height, count) in kinds.items():
            bodies = [picture(width, height) for _ in range(count)]
            before_s = cpu_s(platform, ("gateway", "storage"))
            for body in bodies:
                upload(client, body)
            spent_s = cpu_s(platform, ("gateway", "storage")) - before_s
            found[f"processor outside the models, {name}, ms"] = 1000 * spent_s / len(bodies)
    return found


def _throughput(platform: Platform, clients: tuple[int, ...], seconds: float) -> dict[str, float]:
    found = {}
    for count in clients:
        pile = Pile(int(MOST_A_SECOND * seconds), 320, 240)
        came = rate(platform.url, lambda client, pile=pile: upload(client, pile.take()), clients=count, seconds=seconds)
        found[f"uploads a second, {count} clients"] = came.answered_a_second
        found[f"complete uploads a second, {count} clients"] = came.complete_a_second
        _settle(platform)
    preview, at_once = picture(320, 240), clients[-2]
    urls = {
        "caption": f"{platform.service_urls['caption']}/v1/captions?embedding=true",
        "classify": f"{platform.service_urls['classify']}/v1/classifications",
    }

    def both(client: httpx.Client) -> str:
        with ThreadPoolExecutor(2) as threads:
            answers = list(threads.map(lambda url: client.post(url, content=preview), urls.values()))
        return "complete" if all(answer.is_success for answer in answers) else "refused"

    limit = rate(platform.url, both, clients=at_once, seconds=seconds)
    found[f"both models alone, images a second, {at_once} clients"] = limit.complete_a_second
    return found


def _settle(platform: Platform) -> None:
    """Wait, at most two minutes, until nothing is pending, which would burden what is measured next."""
    with httpx.Client(base_url=platform.url, timeout=30, trust_env=False) as client:
        for _ in range(240):
            if not client.get("/api/v1/images", params={"status": "pending", "limit": 1}).json()["items"]:
                return
            time.sleep(0.5)


def _lines(measured: dict[str, float], many: int) -> list[Line]:
    encoder = measured["encoder, 1 together, ms an image"]
    best = min(value for name, value in measured.items() if name.startswith("encoder, "))
    caption, label, upload_ms = (measured[f"{stage}, p50, ms"] for stage in ("caption", "label", "upload"))
    uploads = measured[f"complete uploads a second, {many} clients"]
    models = measured[f"both models alone, images a second, {many} clients"]
    lines = [
        Line("upload p50 / (encoder + label)", upload_ms / (encoder + label), most=1.6),
        Line("caption p50 / encoder", caption / encoder),
        Line(f"complete uploads / the models' own limit, {many} clients", uploads / models, least=0.8),
        Line("encoder / peak of a matrix product", GFLOP_AN_IMAGE / best * 1000 / measured["peak, GFLOP/s"]),
    ]
    ours_ms, others = (
        measured["encoder, 8 together, ms an image"],
        [value for name, value in measured.items() if name.startswith("OpenVINO")],
    )
    if others:
        lines.append(Line("encoder's throughput / OpenVINO's best", min(others) / min(ours_ms, best), least=0.95))
    if by_tensorflow := measured.get("TensorFlow's encoder, 1 together, ms an image"):
        lines.append(Line("TensorFlow's encoder / encoder", by_tensorflow / encoder))
    if naive := measured.get("naive captions, ms"):
        lines.append(Line("naive captions / upload", naive / upload_ms, least=8))
        lines.append(Line("naive captions / caption", naive / caption, least=12))
    wanted = {
        "ready, s": 8, "processor outside the models, 224 px, ms": 12,
        "processor outside the models, 12 megapixels, ms": 40, "memory of gateway, MB": 150,
        "memory of storage, MB": 150, "memory of classify, MB": 700, "memory of caption, MB": 1200,
    }  # fmt: skip
    return [*lines, *(Line(name, value, most=wanted.get(name)) for name, value in measured.items())]


if __name__ == "__main__":
    main()
