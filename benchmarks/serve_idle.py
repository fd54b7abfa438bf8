"""What `digest serve` costs while nothing is due: memory and CPU of a real process.

The promise: under 80 MB, and no measurable CPU. The look at the ledger is made sixty times as often
as in service, and the CPU of one look is what the difference comes to.
"""

import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import psutil

ROOT = Path(__file__).resolve().parent.parent
SECONDS = 10
LOOKS_A_MINUTE = 60
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
        environ = {**os.environ, "DIGEST_SECRET_KEY": "a-secret-of-benchmarks"}
        for name in ("digest.toml", "content", "subscribers"):
            (Path(folder) / name).symlink_to(ROOT / name)
        digest = [sys.executable, "-m", "digest"]
        taking_in = ["subscribers", "import", "subscribers/sample.csv", "--consent", "a test", "-q"]
        subprocess.run([*digest, *taking_in], cwd=folder, env=environ, check=True)
        command = [sys.executable, "-c", LAUNCH, "serve", "--port", "0", "-q"]
        with subprocess.Popen(command, cwd=folder, env=environ, stderr=subprocess.PIPE) as served:
            try:
                watch(psutil.Process(served.pid), served)
            finally:
                served.terminate()
                served.communicate(timeout=15)


def watch(process: psutil.Process, served: "subprocess.Popen[bytes]") -> None:
    """From when it listens."""
    assert served.stderr is not None
    while b"web.listening" not in served.stderr.readline():
        pass
    time.sleep(2)
    before, looks = process.cpu_times(), SECONDS * LOOKS_A_MINUTE / 60
    time.sleep(SECONDS)
    after = process.cpu_times()
    spent = after.user + after.system - before.user - before.system
    memory = process.memory_info().rss / 1e6
    print(f"memory           {memory:5.1f} MB    promised: under 80")
    print(f"CPU of a look    {1000 * spent / looks:5.1f} ms    one a minute in service")
    print(f"CPU in service   {100 * spent / looks / 60:5.3f} %     promised: not measurable")
    assert memory < 80, "more memory than promised"
    assert spent / looks < 0.06, "a look costs more than a thousandth of a core"


if __name__ == "__main__":
    main()
