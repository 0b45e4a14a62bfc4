"""Reads the file that the job before left for this day.

The same file lies in score-prospects and push-outbound: a job folder is deployed alone.
"""

from rows import Problem, decode, load, parse


def received(name, job, day, needed):
    """The rows of the file `name` that `job` wrote for `day`; they may be none, but never another day's.

    The scheduler hands over the newest file there is: when `job` failed today, that is yesterday's, and going on with
    it would contact the same people twice. A file without rows carries no day and is taken as it is.
    """
    data = load(name, f'Run {job} for {day} first; by hand, copy its {name} into this folder')
    rows = list(parse(decode(data, name), name, needed))
    for row in rows:
        if row['contacted_on'] != day.isoformat():
            raise Problem(
                f'{row.place}: contacted_on is "{row["contacted_on"][:60]}", expected {day}: this is another '
                f"day's file. See why {job} has not run for {day}, run it, then run this job again"
            )
    return rows
