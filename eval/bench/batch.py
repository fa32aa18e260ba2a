"""What a batch costs: rows a second, peak memory, and whether one that is killed ends in the same file.

    python -m eval.bench.batch                    1,000 and 50,000 rows, then ten kills
    python -m eval.bench.batch --rows 1000 5000   other lengths
    python -m eval.bench.batch --distinct 1000    of the rows, so many different questions; the rest repeats them

Each list is made of the development questions in other words around them, and answered by `python -m rag batch` as a
user would. Memory is the sum of what each of its processes held at most, read from /proc (Linux).
"""

from __future__ import annotations

import argparse
import csv
import random
import re
import resource
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from eval.dataset import SETS, read_set

ROOT = Path(__file__).resolve().parents[2]
SEED = 20261128
KILLED_ROWS = 600
WATCHED = 0.1  # seconds between two looks at the processes


@dataclass(frozen=True)
class Cost:
    """Of one run: rows, seconds from start to end, seconds of computing, and peak memory in MB of all its processes
    together."""

    rows: int
    seconds: float
    computing: float
    megabytes: float

    @property
    def pace(self) -> float:
        """Rows a second, the start of the processes included."""
        return self.rows / self.seconds


def write_list(path: Path, rows: int, distinct: int) -> None:
    """A csv list of `rows` questions, `distinct` of them different."""
    asked = [question.question for question in read_set(SETS / "dev.jsonl") if not question.history]
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["编号", "问题"])
        for number in range(rows):
            turn, which = divmod(number % distinct, len(asked))
            writer.writerow([number + 1, f"{asked[which].rstrip('?？')}（第{turn + 1}次问）？"])


def command(source: Path, out: Path, jobs: int) -> list[str]:
    return [sys.executable, "-m", "rag", "batch", str(source), "--out", str(out), "--jobs", str(jobs)]


def measure(source: Path, out: Path, rows: int, jobs: int) -> Cost:
    """Run a batch and watch its processes. Raises RuntimeError where it cannot be run."""
    began, computed = time.monotonic(), computing()
    process = subprocess.Popen(command(source, out, jobs), cwd=ROOT, stderr=subprocess.PIPE, text=True)
    held: dict[int, int] = {}
    while process.poll() is None:
        for pid in family(process.pid):
            held[pid] = max(held.get(pid, 0), most_held(pid))
        time.sleep(WATCHED)
    if process.returncode not in (0, 1):
        told = process.stderr.read() if process.stderr else ""
        raise RuntimeError(f"the batch ended with {process.returncode}: {told}")
    return Cost(rows, time.monotonic() - began, computing() - computed, sum(held.values()) / 1024)


def computing() -> float:
    """Seconds that ended child processes and their children have computed: on a busy machine they say more than the
    clock."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def family(pid: int) -> list[int]:
    """A process and its descendants."""
    found = [pid]
    for parent in found:
        for children in Path(f"/proc/{parent}/task").glob("*/children"):
            try:
                found += [int(child) for child in children.read_text().split()]
            except OSError:  # ended meanwhile
                continue
    return found


def most_held(pid: int) -> int:
    """Kilobytes that a process held at most, 0 where it has ended."""
    try:
        status = Path(f"/proc/{pid}/status").read_text()
    except OSError:
        return 0
    most = re.search(r"VmHWM:\s+(\d+)", status)
    return int(most.group(1)) if most else 0


def same_after_kills(folder: Path, kills: int, jobs: int) -> bool:
    """Kill a batch at random moments, `kills` times in all, let it end, and compare with one left alone: whether the
    files are the same. One that has ended before it was struck is compared as well, and the next begins anew."""
    source, out = folder / "killed.csv", folder / "out.xlsx"
    write_list(source, KILLED_ROWS, KILLED_ROWS)
    began = time.monotonic()
    subprocess.run(command(source, folder / "whole.xlsx", jobs), cwd=ROOT, check=True, capture_output=True)
    whole = time.monotonic() - began
    draw = random.Random(SEED)
    struck, same = 0, True
    while same and struck < kills:
        process = subprocess.Popen(command(source, out, jobs), cwd=ROOT, stderr=subprocess.DEVNULL)
        try:
            process.wait(timeout=draw.uniform(0.2, 0.5 * whole))
        except subprocess.TimeoutExpired:
            process.send_signal(signal.SIGKILL)
            process.wait()
            struck += 1
        else:
            same = out.read_bytes() == (folder / "whole.xlsx").read_bytes()
            for path in folder.glob(f"{out.name}*"):
                path.unlink()
    subprocess.run(command(source, out, jobs), cwd=ROOT, check=True, capture_output=True)
    return same and out.read_bytes() == (folder / "whole.xlsx").read_bytes()


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m eval.bench.batch", description="批量答复的速度、内存和续答")
    parser.add_argument("--rows", type=int, nargs="+", default=[1_000, 50_000], metavar="N", help="清单的行数")
    parser.add_argument("--distinct", type=int, default=0, metavar="N", help="其中不同的问题数，缺省为全部")
    parser.add_argument("--jobs", type=int, default=2, metavar="N", help="进程数，缺省 %(default)s")
    parser.add_argument("--kills", type=int, default=10, metavar="N", help="杀掉几次，缺省 %(default)s")
    parser.add_argument("--out", default=".jsonl", choices=[".jsonl", ".csv", ".xlsx"], help="输出格式")
    options = parser.parse_args(arguments)
    if sys.platform != "linux":
        print("内存从 /proc 读出，只能在 Linux 上测：请换一台机器。", file=sys.stderr)
        return 2
    with tempfile.TemporaryDirectory(prefix="plan-qa-bench-") as place:
        folder = Path(place)
        costs: list[Cost] = []
        for rows in options.rows:
            source = folder / f"{rows}.csv"
            write_list(source, rows, options.distinct or rows)
            cost = measure(source, folder / f"{rows}{options.out}", rows, options.jobs)
            costs.append(cost)
            spent = f"每行计算 {1000 * cost.computing / rows:.1f} 毫秒"
            print(f"{rows:,} 行：{cost.pace:.0f} 行/秒，{spent}，内存峰值 {cost.megabytes:.0f} MB", flush=True)
        if len(costs) > 1:
            print(f"内存之比（最长比最短）：{costs[-1].megabytes / costs[0].megabytes:.2f}")
        if options.kills:
            same = same_after_kills(folder, options.kills, options.jobs)
            print(f"随机时刻 kill -9 共 {options.kills} 次后续答：结果{'逐字节相同' if same else '不同'}")
            return 0 if same else 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
