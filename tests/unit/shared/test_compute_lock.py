"""The model services of one machine compute in turn, and none waits for ever."""

from __future__ import annotations

import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from classify_service.settings import ClassifySettings
from shared.compute_lock import ComputeLock

HOLDER = """
import sys
from shared.compute_lock import ComputeLock
with ComputeLock(sys.argv[1]).held():
    print("held", flush=True)
    sys.stdin.read()
"""


def _is_free(lock: ComputeLock) -> bool:
    with lock.held() as is_held:
        return is_held


def test_threads_and_other_locks_on_the_file_take_turns(tmp_path: Path) -> None:
    file, inside, most = str(tmp_path / "lock"), 0, []
    locks, counting = [ComputeLock(file), ComputeLock(file)], threading.Lock()

    def compute(number: int) -> bool:
        nonlocal inside
        with locks[number % 2].held() as is_held:
            with counting:
                inside += 1
                most.append(inside)
            time.sleep(0.002)  # long enough for another one to come in
            with counting:
                inside -= 1
        return is_held

    with ThreadPoolExecutor(4) as threads:
        assert all(threads.map(compute, range(40)))
    assert max(most) == 1


def test_who_has_waited_long_enough_computes_all_the_same(tmp_path: Path) -> None:
    file = str(tmp_path / "lock")
    with ComputeLock(file).held() as is_held, ComputeLock(file, patience_s=0.01).held() as is_also_held:
        assert (is_held, is_also_held) == (True, False)
    with ComputeLock(file, patience_s=0.0).held() as is_held:
        assert is_held


def test_so_does_a_thread_of_the_same_service(tmp_path: Path) -> None:
    lock = ComputeLock(str(tmp_path / "lock"), patience_s=0.01)
    with lock.held() as is_held, ThreadPoolExecutor(1) as thread:
        assert thread.submit(_is_free, lock).result() is False
        assert is_held


def test_a_failed_run_lets_go_of_it(tmp_path: Path) -> None:
    lock = ComputeLock(str(tmp_path / "lock"), patience_s=0.0)
    with pytest.raises(MemoryError), lock.held():
        raise MemoryError
    with lock.held() as is_held:
        assert is_held


def test_a_killed_process_lets_go_of_it(tmp_path: Path) -> None:
    file = str(tmp_path / "lock")
    with subprocess.Popen(
        [sys.executable, "-c", HOLDER, file], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as holder:
        assert holder.stdout is not None
        assert holder.stdout.readline() == "held\n"
        with ComputeLock(file, patience_s=0.01).held() as is_held:
            assert not is_held
        holder.kill()
        holder.wait(30)
        with ComputeLock(file).held() as is_held:
            assert is_held


def test_where_its_folder_is_gone_the_models_compute_on(tmp_path: Path) -> None:
    assert not _is_free(ComputeLock(str(tmp_path / "gone" / "lock")))


def test_without_a_file_nobody_waits() -> None:
    lock = ComputeLock()
    with lock.held() as is_held, lock.held() as is_also_held:
        assert (is_held, is_also_held) == (False, False)


def test_a_file_that_cannot_be_written_is_told_at_the_start(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    monkeypatch.setenv("CLASSIFY_COMPUTE_LOCK", str(tmp_path / "nowhere" / "lock"))
    with pytest.raises(SystemExit):
        ClassifySettings()
    told = capsys.readouterr().err
    assert "CLASSIFY_COMPUTE_LOCK is '" in told
    assert "but must be a file that this user can write, in a folder that exists." in told
