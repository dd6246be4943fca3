"""Long work: the one mechanism for whatever takes longer than a page may wait (imports, exports, what-if over all leads).

A **kind** of work is a name with a function. Somebody asks for it and gets a **job**, a durable row beside the log; a worker
(``hub serve`` starts one, ``hub work`` is another) runs the function and the page ``/jobs/<id>`` tells how far it is. The page
may be closed. After ``kill -9`` another worker, or the same one started again, takes the job over within
:data:`~hub.jobs.running.LEASE` seconds and goes on from the last saved cursor.

To add a kind::

    def run(work: Work) -> None:                                # hub/reports/yearly.py
        rows = …                                                # work.parameters is what start() was given
        after = work.cursor or 0                                # where an earlier try came to; None at first
        for n, row in enumerate(rows[after:], after + 1):
            …                                                   # must be safe to repeat from the last saved cursor
            work.progress(n, len(rows))                         # cheap (written twice a second at most); ends cancelled work
            if n % 500 == 0:
                work.save(n)                                    # durable: a next try gets it as work.cursor
        work.add_file("year.csv", "text/csv; charset=utf-8", data)  # the result, to be downloaded
        work.tell(rows=len(rows))                               # facts for the page, as JSON; durable with the end or a save

    hub.jobs.register(Kind("yearly", ("Отчёт за год", "Report of a year"), run, permissions=("report",)))   # in hub/bootstrap.py

    job = hub.jobs.start("yearly", {"year": 2026}, actor=me().actor, at=now())     # in a page; then
    return redirect(url_for("jobs.page", job=job), 303)

Refusals (:class:`hub.domain.errors.Refused`) that the function raises end the job as failed with their sentence. The database
being away is waited out. Everything else is logged and ends it with a general sentence; a job whose worker died
:data:`~hub.jobs.running.TRIES` times without getting on is given up.

Parameters, cursor, facts and files are sealed under a key of the job's own. It is destroyed when the job is removed
(``Kind.kept`` after its end), and with every erasure of a person where ``Kind.personal``: no file with personal data outlives
an erasure.
The columns that are not sealed hold ids, numbers and codes of sentences only.
"""

from hub.jobs.running import JobRunner
from hub.jobs.table import File, Job, Jobs, Kind
from hub.jobs.work import Cancelled, Stopped, Work

__all__ = ["Cancelled", "File", "Job", "JobRunner", "Jobs", "Kind", "Stopped", "Work"]
