"""What `digest serve` costs while nothing is due: memory and CPU of a real process.

The promise: under 80 MB, also once pages and the meters were asked for, and no measurable CPU. The
look at the ledger is made sixty times as often as in service, and the CPU of one look is what the
difference comes to.

It runs from bytecode, as whatever was installed by pip does. A process that has to compile all that
it imports keeps 2 to 6 MB more, of which the compiler's leftovers are made.
"""

import json
import os
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psutil

ROOT = Path(__file__).resolve().parent.parent
SECONDS = 10
LOOKS_A_MINUTE = 60
MOST = 80.0  # MB
ASKED = ("/", "/archive", "/archive/feed.atom", "/readyz", "/metrics")
LAUNCH = f"""
from datetime import timedelta
from digest.cli import main
from digest.scheduler import clockwork
clockwork.LOOKS_AGAIN = timedelta(seconds=60 / {LOOKS_A_MINUTE})
main()
"""


def main() -> None:
    """Run it, and watch it."""
    with tempfile.TemporaryDirectory() as folder:
        environ = {
            **os.environ,
            "DIGEST_SECRET_KEY": "a-secret-of-benchmarks",
            "PYTHONDONTWRITEBYTECODE": "",
            "PYTHONPYCACHEPREFIX": str(Path(folder) / "bytecode"),
        }
        for name in ("digest.toml", "content", "subscribers"):
            (Path(folder) / name).symlink_to(ROOT / name)
        digest = [sys.executable, "-m", "digest"]
        taking_in = ["subscribers", "import", "subscribers/sample.csv", "--consent", "a test", "-q"]
        subprocess.run([*digest, *taking_in], cwd=folder, env=environ, check=True)
        with serving(folder, environ) as (_, port):  # writes the bytecode
            ask(port)
        with serving(folder, environ) as (process, port):
            watch(process)
            ask(port)
            remember("memory, asked", process)


@contextmanager
def serving(folder: str, environ: dict[str, str]) -> Iterator[tuple[psutil.Process, int]]:
    """A process that listens, and where."""
    command = [sys.executable, "-c", LAUNCH, "serve", "--port", "0", "-q"]
    with subprocess.Popen(command, cwd=folder, env=environ, stderr=subprocess.PIPE) as served:
        assert served.stderr is not None
        try:
            while b"web.listening" not in (line := served.stderr.readline()):
                pass
            yield psutil.Process(served.pid), json.loads(line)["port"]
        finally:
            served.terminate()
            served.communicate(timeout=15)


def ask(port: int) -> None:
    """For a page of each kind, some times over."""
    for path in ASKED * 5:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}{path}", timeout=30) as answer:
            answer.read()


def remember(what: str, process: psutil.Process) -> None:
    memory = process.memory_info().rss / 1e6
    print(f"{what:<17}{memory:5.1f} MB    promised: under {MOST:.0f}")
    assert memory < MOST, "more memory than promised"


def watch(process: psutil.Process) -> None:
    """From when it listens."""
    time.sleep(2)
    before, looks = process.cpu_times(), SECONDS * LOOKS_A_MINUTE / 60
    time.sleep(SECONDS)
    after = process.cpu_times()
    spent = after.user + after.system - before.user - before.system
    remember("memory, idle", process)
    print(f"CPU of a look    {1000 * spent / looks:5.1f} ms    one a minute in service")
    print(f"CPU in service   {100 * spent / looks / 60:5.3f} %     promised: not measurable")
    assert spent / looks < 0.06, "a look costs more than a thousandth of a core"


if __name__ == "__main__":
    main()
