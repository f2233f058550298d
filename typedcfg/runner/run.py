"""`Runner`: one run of an experiment, trained, resumed, tested and asked about."""

import logging
from collections.abc import Iterator, Mapping, MutableMapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final, Literal, Self

from typedcfg.errors import Problem, RunError
from typedcfg.runner.asked import Resume
from typedcfg.runner.checkpoint_config import configuration_of
from typedcfg.runner.counted_run import CountedRun
from typedcfg.runner.joining import join_run
from typedcfg.runner.launchers.base import JoiningLauncher
from typedcfg.runner.launchers.choose import restarts_of
from typedcfg.runner.ownership import Ownership
from typedcfg.runner.preflight import (
    beginning_of,
    check_builders,
    check_machine,
    check_named,
    check_started_once,
    launcher_of,
)
from typedcfg.runner.recordable import check_recordable
from typedcfg.runner.run_dir import AttemptDir, RunDir
from typedcfg.runner.submission import Submission, check_submittable, submit_run
from typedcfg.runner.template_reference import check_loadable, refer_to
from typedcfg.runner.training import Training
from typedcfg.sections.experiment import Experiment
from typedcfg.text import one_of

_log: Final = logging.getLogger(__name__)


class Runner(CountedRun):
    """One run of an experiment: its folder, its training, its results.

    A run is its configuration and its code: of the same ones there is one, in one folder. What was done is not done
    again, and what was interrupted goes on where it stopped. Making a Runner imports no torch and touches no disk.

    Example:
        `Runner(Digits.compile("wide.yaml")).fit()`
    """

    @classmethod
    def from_checkpoint(
        cls,
        checkpoint: str | Path,
        template: type[Experiment],
        *,
        overrides: Sequence[str] | Mapping[str, object] = (),
    ) -> "Runner":
        """The run that wrote a checkpoint, with the configuration that it was trained with.

        Of a checkpoint in a run's folder it is that run; of one that was copied elsewhere, the run that has its
        configuration and the code of today.

        Args:
            checkpoint: A whole checkpoint.
            template: The class that it was configured with; nothing is imported on a file's word.
            overrides: What is to differ: settings that are not in the identity, and secrets.

        Raises:
            RecordError: The checkpoint is not whole, or holds no configuration and lies in no run.
            ConfigError: The configuration does not compile.
            ResumeRefused: An override bears on the outcome, or the class has changed since; what differs is named.

        Example:
            `Runner.from_checkpoint("best.ckpt", Digits, overrides=["launch=torchrun"]).test()`
        """
        config, run = configuration_of(Path(checkpoint), template, overrides)
        return cls(config, folder=run)

    # --- doing --------------------------------------------------------------------------------------------------------

    def fit(self, *, again: bool = False, resume: Resume = "auto", test: bool = False) -> None:
        """Train until the run is done; one that is done already is left as it is.

        With one device the training is done in this process, with several in processes of their own. Ctrl-C,
        SIGTERM, SIGHUP and SIGUSR1 end it as preempted, and so does `run.max_time`: saved, to be gone on with.
        Where several nodes or tasks of SLURM call this each, the first owns the run, and the others join it.

        Args:
            again: Train once more if it is done.
            resume: What to begin with: `auto` its own newest checkpoint, if there is one; `never` nothing; or a path,
                of a checkpoint or of a run's folder, whose weights and state are taken.
            test: Test the best weights at the end, if data and model have a test.

        Raises:
            RunOwned: Another process works on this run.
            TemplateError: The experiment does not define what builds its model or its data.
            RunError: The launcher or the machine cannot do what is asked of it, the run is that of another class, or
                torchrun started this process.
            ResumeRefused: The run in the folder, or the checkpoint, has a configuration that means something else, or
                the run is of earlier code and would begin from nothing.
            RunFailed: A process of the training came to a bad end.
            Preempted: SIGTERM, SIGHUP, SIGUSR1 or `run.max_time` ended the training.
            Exception: Whatever the training raised in this process.
        """
        check_started_once()
        run = self._find()
        if run and not again and Training(run, self.config, self._asked).is_over():
            if resume != "auto":
                check_named(resume)
                _log.warning("--resume %s does nothing here: the run is done; --again trains it once more", resume)
            return  # nothing is touched, not even the lock
        check_builders(self.config.params)
        check_recordable(self.config)
        check_machine(self.config)
        launcher = launcher_of(self.config.params, self._asked)
        restarts = restarts_of(self.config.params.launch)
        if isinstance(launcher, JoiningLauncher) and not launcher.is_first:
            join_run(self._find, self.config, launcher, script=self._asked.script, restarts=restarts)
            return
        beginning = beginning_of(resume, self.config)
        if again and resume == "auto" and self.record is not None and not self.is_done:
            _log.warning("--again does nothing here: the run is not done, and goes on; --resume never begins it anew")
        run = run or self.make()
        with Ownership(run.lock), self._doing("train"):
            training = Training(run, self.config, self._asked)
            training.bring_to_an_end(launcher, again=again, resume=beginning, test=test, restarts=restarts)

    def submit(self, *, again: bool = False, resume: Resume = "auto") -> Submission:
        """Have SLURM train the run, as the section `launch` says; `fit` does that in the job.

        Args:
            again: Train once more if it is done.
            resume: What to begin with, as in `fit`.

        Raises:
            RunOwned: Another process works on this run.
            RunError: A secret cannot reach the job, SLURM refuses it, or there is nothing to begin with.
            RecordError: The checkpoint to begin with is not whole.
            ResumeRefused: It was trained with a configuration that means something else.
        """
        check_builders(self.config.params)
        check_recordable(self.config)
        reference = refer_to(type(self.config.params))
        if not self._asked.script:
            check_loadable(reference)
        app = self._asked.script or ("-m", "typedcfg")
        named = () if self._asked.script else (self._asked.app or reference.app,)
        beginning_of(resume, self.config)  # lest a job waits in a queue to be refused
        check_submittable(self.config)
        begin = resume if resume in {"auto", "never"} else Path(resume).absolute()
        flags = [*(["--again"] if again else []), *([] if begin == "auto" else [f"--resume={begin}"])]
        return submit_run(self.make(), self.config, (*app, "run", *named), flags=tuple(flags))

    def test(self) -> None:
        """Test the best weights, on one device, and add what is measured to the results of their epoch.

        Raises:
            RunOwned: Another process works on this run.
            RunError: Nothing was trained yet, or data or model have no test.
        """
        run, attempt = RunDir(self.dir), AttemptDir(self.attempt)
        with Ownership(run.lock), self._doing("test"):
            Training(run, self.config, self._asked).test(attempt, is_asked_for=True)

    @contextmanager
    def _doing(self, mode: Literal["train", "test"]) -> Iterator[None]:
        self._mode = mode
        try:
            yield
        finally:
            self._mode = None

    # --- as a file, and back ------------------------------------------------------------------------------------------

    def dict(self) -> MutableMapping[str, Any]:
        """The configuration as plain values, which are the caller's to change."""
        return self.config.plain()

    def json(self, path: str | Path) -> None:
        """Save the configuration as JSON; `from_json` gives the same run back.

        Raises:
            UnsupportedValue: JSON cannot hold a value so that it comes back.
        """
        self.config.save(_ending_in(path, ".json"))

    def yaml(self, path: str | Path) -> None:
        """Save the configuration as YAML; `from_yaml` gives the same run back.

        Raises:
            UnsupportedValue: YAML cannot hold a value so that it comes back.
        """
        self.config.save(_ending_in(path, ".yaml", ".yml"))

    @classmethod
    def from_json(cls, template: type[Experiment], path: str | Path) -> Self:
        """The run of a configuration that was saved as JSON.

        Raises:
            ConfigError: The file does not hold a configuration of the template.
        """
        return cls(template.load(_ending_in(path, ".json")))

    @classmethod
    def from_yaml(cls, template: type[Experiment], path: str | Path) -> Self:
        """The run of a configuration that was saved as YAML, a run's `run.yaml` too.

        Raises:
            ConfigError: The file does not hold a configuration of the template.
        """
        return cls(template.load(_ending_in(path, ".yaml", ".yml")))


def _ending_in(path: str | Path, *suffixes: str) -> Path:
    if Path(path).suffix not in suffixes:
        raise RunError(
            Problem(f"{path} has no name of that format", expected=f"a name that ends in {one_of(suffixes)}")
        )
    return Path(path)
