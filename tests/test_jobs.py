"""Long work: asked for, told of, cancelled, taken over after a worker's death, and forgotten with a person."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path
from threading import Event as Flag
from threading import Thread
from uuid import UUID

import pytest

from hub.domain.errors import NotFound, Refused
from hub.jobs import Job, JobRunner, Kind, Work
from hub.jobs import running as running_module
from hub.jobs.running import TRIES
from tests.house import MONDAY, Department, actor

pytestmark = pytest.mark.usefixtures("both_stores")


@pytest.fixture
def house(tmp_path: Path) -> Iterator[Department]:
    with Department(tmp_path) as house:
        house.hub.jobs.prepare()
        yield house


def register(house: Department, run: Callable[[Work], None], **more: object) -> None:
    house.hub.jobs.register(Kind("count", ("Счёт", "Counting"), run, ("admin",), **more))  # type: ignore[arg-type]


def start(house: Department, **parameters: object) -> UUID:
    return house.hub.jobs.start("count", parameters, actor=actor("adam"), at=MONDAY, name="Ольга.csv",
                                files={"in.csv": ("text/csv", "Ольга Петрова".encode())})


def runner(house: Department) -> JobRunner:
    return JobRunner(house.hub.jobs, lambda: MONDAY)


def work(house: Department) -> bool:
    return runner(house).turn(Flag())


def seen(house: Department, job: UUID) -> Job:
    return house.hub.jobs.one(job)


def test_a_job_is_done_by_a_worker_and_its_result_is_kept(house: Department) -> None:
    def run(work: Work) -> None:
        assert (work.parameters, work.actor, work.name) == ({"upto": 3}, actor("adam"), "Ольга.csv")
        for n in range(1, 4):
            work.progress(n, 3)
        work.tell(sum=6)
        work.add_file("out.txt", "text/plain", work.read("in.csv").decode().upper().encode())

    register(house, run)
    job = start(house, upto=3)
    assert (seen(house, job).state, house.hub.jobs.open()) == ("waiting", [job])
    assert work(house)
    done = seen(house, job)
    assert (done.state, done.done, done.total, done.facts, done.finished) == ("done", 3, 3, {"sum": 6}, MONDAY)
    assert [file.name for file in done.results] == ["out.txt"]
    assert house.hub.jobs.read(done, "out.txt").decode() == "ОЛЬГА ПЕТРОВА"
    assert not work(house)


def test_nothing_of_the_person_lies_open_in_the_table(house: Department) -> None:
    register(house, lambda work: None)
    start(house, words="Ольга")
    with house.store.reading() as cursor:
        row = dict(cursor.execute("SELECT * FROM jobs").fetchone())
    assert "Ольга".encode() not in bytes(row.pop("sealed"))
    assert "Ольга" not in repr(row)


def test_a_refusal_ends_it_with_its_sentence_and_a_fault_with_a_general_one(house: Department) -> None:
    faults: list[Exception] = [Refused("say_text", field="text"), ZeroDivisionError("Ольга")]

    def run(work: Work) -> None:
        raise faults.pop(0)

    register(house, run)
    jobs = []
    for _ in range(2):
        jobs.append(start(house))
        assert work(house)
    assert [(seen(house, job).state, seen(house, job).said[0]) for job in jobs] == [
        ("failed", "say_text"), ("failed", "job_failed")]
    assert "журнал" in seen(house, jobs[1]).say("ru")


def test_after_a_worker_died_another_goes_on_from_the_last_cursor(house: Department) -> None:
    begun: list[object] = []

    class Killed(BaseException):
        """As kill -9: nobody catches it, nothing is cleaned up."""

    def run(work: Work) -> None:
        begun.append(work.cursor)
        for n in range(work.cursor or 0, 10):
            if n == 7 and len(begun) == 1:
                raise Killed
            if n % 3 == 0:
                work.save(n, n)
        work.progress(10, 10)

    register(house, run)
    job = start(house)
    with pytest.raises(Killed):
        work(house)
    assert seen(house, job).state == "running"
    assert work(house)
    assert (begun, seen(house, job).state, seen(house, job).done, seen(house, job).base) == ([None, 6], "done", 10, 6)


def test_what_somebody_works_on_is_not_taken_by_another(house: Department) -> None:
    inside, go, begun = Flag(), Flag(), []

    def run(work: Work) -> None:
        begun.append(work.id)
        inside.set()
        assert go.wait(20)

    register(house, run)
    job = start(house)
    first = Thread(target=work, args=(house,))
    first.start()
    assert inside.wait(20)
    assert (house.hub.jobs.worked_on(job), work(house)) == (True, False)
    go.set()
    first.join()
    assert (begun, seen(house, job).state, house.hub.jobs.worked_on(job)) == ([job], "done", False)


def test_a_job_that_kills_its_worker_is_given_up(house: Department) -> None:
    class Killed(BaseException):
        """As kill -9."""

    def run(work: Work) -> None:
        raise Killed

    register(house, run)
    job = start(house)
    for _ in range(TRIES):
        with pytest.raises(Killed):
            work(house)
    assert work(house)
    assert (seen(house, job).state, seen(house, job).said) == ("failed", ("job_given_up", {"takes": TRIES}))


def test_cancelled_while_waiting_it_never_begins_and_while_running_it_ends_at_the_next_look(
        house: Department, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("hub.jobs.work.WRITTEN_EVERY", 0.0)
    jobs = house.hub.jobs

    def run(work: Work) -> None:
        work.tell(got=1)
        jobs.cancel(work.id, MONDAY)
        work.progress(1, 2)
        raise AssertionError("it went on")

    register(house, run, resumable=True)
    waiting = start(house)
    jobs.cancel(waiting, MONDAY)
    assert not work(house)
    job = start(house)
    assert work(house)
    assert [seen(house, one).state for one in (waiting, job)] == ["cancelled", "cancelled"]
    assert seen(house, job).facts == {"got": 1}
    with pytest.raises(Refused, match="ended already"):
        jobs.cancel(job, MONDAY)
    jobs.resume(job)
    assert seen(house, job).state == "waiting"


def test_what_cannot_be_resumed_says_so(house: Department) -> None:
    register(house, lambda work: None)
    job = start(house)
    house.hub.jobs.cancel(job, MONDAY)
    with pytest.raises(Refused, match="cannot go on"):
        house.hub.jobs.resume(job)


def test_a_worker_that_ends_leaves_the_job_to_the_next_one(house: Department) -> None:
    stop, tries = Flag(), []

    def run(work: Work) -> None:
        tries.append(work.cursor)
        if len(tries) == 1:
            stop.set()
        work.save("half", 1)
        work.progress(2, 2)

    register(house, run)
    job = start(house)
    runner(house).turn(stop)
    assert (seen(house, job).state, seen(house, job).takes) == ("waiting", 0)
    assert work(house)
    assert (tries, seen(house, job).state) == ([None, "half"], "done")


def test_whoever_lost_the_job_stops_and_writes_no_more(house: Department, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("hub.jobs.work.WRITTEN_EVERY", 0.0)
    order: list[str] = []

    def run(work: Work) -> None:
        order.append("begun")
        if len(order) == 1:  # its lease has run out: another worker begins the same job meanwhile
            house.store.leases.free_all(first.holder)
            assert runner(house).turn(Flag())
            work.save("late")
            raise AssertionError("it went on")
        work.tell(by="the second")

    register(house, run)
    job = start(house)
    first = runner(house)
    first.turn(Flag())
    assert (order, seen(house, job).state, seen(house, job).facts) == (["begun", "begun"], "done", {"by": "the second"})


def test_served_is_said_while_a_worker_looks_and_not_without_one(house: Department) -> None:
    assert not house.hub.jobs.served()
    work(house)
    assert house.hub.jobs.served()


def test_a_thread_of_the_worker_does_what_is_asked_at_once(house: Department, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(running_module, "LOOK", 60.0)
    done, stop = Flag(), Flag()
    register(house, lambda work: done.set())
    thread = Thread(target=runner(house).run, args=(stop,))
    thread.start()
    try:
        start(house)
        assert done.wait(20)
    finally:
        stop.set()
        with house.hub.jobs.asked:
            house.hub.jobs.asked.notify_all()
        thread.join()


def test_rate_and_time_left_come_from_this_try_alone(house: Department) -> None:
    moments = iter([MONDAY, MONDAY, *(MONDAY + timedelta(seconds=n) for n in range(0, 100, 10))])
    def run(work: Work) -> None:
        work.save(0, 10)
        work.progress(30, 130)

    register(house, run)
    job = start(house)
    with house.store.writing() as cursor:
        cursor.execute("UPDATE jobs SET done = 10 WHERE id = ?", (job.hex,))
    JobRunner(house.hub.jobs, lambda: next(moments)).turn(Flag())
    with house.store.writing() as cursor:
        cursor.execute("UPDATE jobs SET state = 'running', alive = ? WHERE id = ?",
                       ((MONDAY + timedelta(seconds=10)).isoformat(timespec="microseconds"), job.hex))
    found = seen(house, job)
    assert found.begun == MONDAY
    assert (found.rate, found.left) == (2.0, timedelta(seconds=50))


def test_with_an_erasure_everything_sealed_goes_and_open_jobs_say_why(house: Department) -> None:
    register(house, lambda work: work.add_file("out.txt", "text/plain", work.read("in.csv")))
    done = start(house)
    assert work(house)
    waiting = start(house)
    assert house.hub.jobs.forget_people(MONDAY) == 2
    for job, state in ((done, "done"), (waiting, "failed")):
        found = seen(house, job)
        assert (found.state, found.inside, found.name, found.results) == (state, None, "", ())
        assert "удалены вместе с данными человека" in found.say("ru")
        with pytest.raises(NotFound):
            house.hub.jobs.read(found, "out.txt")
    assert list((house.folder / "files").iterdir()) == []
    assert not work(house)
    assert house.hub.jobs.forget_people(MONDAY) == 0


def test_jobs_without_anything_of_a_person_outlive_an_erasure(house: Department) -> None:
    register(house, lambda work: None, personal=False)
    job = start(house)
    assert house.hub.jobs.forget_people(MONDAY) == 0
    assert work(house)
    assert seen(house, job).state == "done"


def test_what_was_kept_long_enough_goes_with_its_files(house: Department) -> None:
    register(house, lambda work: None, kept=timedelta(days=7))
    job, young = start(house), start(house)
    assert work(house)
    assert work(house)
    with house.store.writing() as cursor:
        cursor.execute("UPDATE jobs SET finished = ? WHERE id = ?", ((MONDAY + timedelta(days=3)).isoformat(), young.hex))
    assert house.hub.jobs.tidy(MONDAY + timedelta(days=8)) == 1
    with pytest.raises(NotFound):
        seen(house, job)
    assert [folder.name for folder in (house.folder / "files").iterdir()] == [young.hex]


def test_the_newest_of_one_person_come_first(house: Department) -> None:
    register(house, lambda work: None)
    ids = [house.hub.jobs.start("count", {}, actor=actor(who), at=MONDAY + timedelta(minutes=n))
           for n, who in enumerate(("adam", "vera", "adam"))]
    assert [job.id for job in house.hub.jobs.of(actor("adam").id)] == [ids[2], ids[0]]
    assert [job.id for job in house.hub.jobs.of(limit=2)] == [ids[2], ids[1]]


def test_the_same_request_twice_is_one_job(house: Department) -> None:
    register(house, lambda work: None)
    first = start(house)
    again = house.hub.jobs.start("count", {}, actor=actor("adam"), at=MONDAY, id=first)
    assert (again, len(house.hub.jobs.of())) == (first, 1)
