"""Submissions graded on a Dask cluster: each worker gets the reference once, and each task a submission alone.

A plugin brings the reference, since also a worker that comes later gets it: what is scattered is lost with the last
worker that holds it.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace

from distributed import Client, Worker, WorkerPlugin, get_worker

from .grade import Outcome, Task, grade
from .sandbox.launcher import Launcher, modules_mentioned
from .submission import Submission

NOTHING = Submission("", "", {})  # in the place of the reference, while a task travels
AHEAD = 2  # tasks that each thread of a worker has: one that runs, and the next


class Grader(WorkerPlugin):
    """What a cluster worker keeps for all submissions of a class: the reference, and a launcher."""

    def __init__(self, reference: Submission, threads: int) -> None:
        self.name, self.reference, self.threads = f"hw4-{reference.digest()}-{threads}", reference, threads

    def setup(self, worker: Worker) -> None:
        """Start the launcher, which imports what the reference mentions."""
        self.launcher = Launcher(modules_mentioned(self.reference.texts()), self.threads)

    def teardown(self, worker: Worker) -> None:
        """End the launcher."""
        self.launcher.close()


def grade_here(task: Task, plugin: str) -> Outcome:
    """Grade a submission in a cluster worker that has the `plugin`; only what is left of it travels back."""
    found = get_worker().plugins[plugin]
    assert isinstance(found, Grader)
    return grade(replace(task, reference=found.reference), found.launcher)


@contextmanager
def grader(address: str, reference: Submission, threads: int) -> Iterator[tuple[Callable[[Task], Outcome], int]]:
    """Yield what has the cluster at `address` grade a task, and how many tasks to hand it at a time."""
    plugin = Grader(reference, threads)

    def graded(task: Task) -> Outcome:
        return client.submit(grade_here, replace(task, reference=NOTHING), plugin.name, pure=False).result()

    with Client(address) as client:
        client.register_plugin(plugin)
        workers = client.scheduler_info(n_workers=-1)["workers"].values()
        try:
            yield graded, AHEAD * max(1, sum(worker["nthreads"] for worker in workers))
        finally:
            client.unregister_worker_plugin(plugin.name)
