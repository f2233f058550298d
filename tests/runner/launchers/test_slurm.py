import pytest

from typedcfg import Experiment, Runner
from typedcfg.errors import RunError
from typedcfg.runner.asked import Asked
from typedcfg.runner.launchers.base import Launcher, Work
from typedcfg.runner.launchers.group.address import Endpoint
from typedcfg.runner.launchers.slurm import Slurm, first_host, is_task
from typedcfg.runner.run_book import RunBook
from typedcfg.runner.training import Training
from typedcfg.sections.launch import SlurmLaunch
from typedcfg.testing import LauncherContract

TASK = {
    "SLURM_JOB_ID": "77",
    "SLURM_STEP_ID": "0",
    "SLURM_PROCID": "3",
    "SLURM_NTASKS": "4",
    "SLURM_LOCALID": "1",
    "SLURM_NODELIST": "gpu[03-04]",
}


@pytest.mark.multiprocess
class TestSlurm(LauncherContract):
    def make_launcher(self) -> Launcher:
        alone = {**TASK, "SLURM_PROCID": "0", "SLURM_LOCALID": "0", "SLURM_NTASKS": "1"}
        return Slurm.of_task(SlurmLaunch(), alone, devices=1, nodes=1)


@pytest.mark.multiprocess
def test_which_rank_was_killed_is_recorded(tiny: type[Experiment]) -> None:
    config = tiny.compile()
    run = Runner(config).make()
    with Training(run, config, Asked()).attempted(world_size=1) as attempt:
        killed = ("-c", "import os; os.kill(os.getpid(), 9)")

        assert TestSlurm().make_launcher().launch(Work(run.path, attempt.path, lambda: 0, killed)) == 137

        failure = RunBook(run).attempt(attempt).failure
    assert failure is not None
    assert failure.what == "rank 0 was killed by SIGKILL"


def test_a_task_is_a_rank() -> None:
    launcher = Slurm.of_task(SlurmLaunch(), TASK, devices=2, nodes=2)

    assert (launcher.group.index, launcher.group.size, launcher.local_rank) == (3, 4, 1)
    assert launcher.group.endpoint == Endpoint("gpu03", 15_077)
    assert not launcher.is_first


def test_tasks_and_ranks_must_be_as_many() -> None:
    with pytest.raises(RunError, match=r"the job has 4 tasks, and trainer\.devices=2"):
        Slurm.of_task(SlurmLaunch(), TASK, devices=2, nodes=1)


def test_the_script_of_a_job_is_no_task() -> None:
    assert is_task(TASK)
    assert not is_task({name: value for name, value in TASK.items() if name != "SLURM_STEP_ID"})


@pytest.mark.parametrize(
    ("nodes", "first"),
    [
        ("gpu03", "gpu03"),
        ("a,b", "a"),
        ("gpu[003-005,9],x", "gpu003"),
        ("r[1-2]-ib,y", "r1-ib"),
        ("n-1.x.org", "n-1.x.org"),
    ],
)
def test_the_first_host_of_a_list(nodes: str, first: str) -> None:
    assert first_host(nodes) == first
