"""Writes the day's best prospects to outbound.csv, the list that the e-mail tool takes in."""

import argparse
import csv
from collections import Counter
from datetime import date

from handover import day_of_run, mean, number, received, record, run

INPUT, OUTPUT = 'scored.csv', 'outbound.csv'
NEEDED = 'id contacted_on score band contact job age balance previous poutcome reasons'.split()
COLUMNS = 'rank id contacted_on score band contact job age balance previous poutcome reasons'.split()


def main():
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument('--limit', type=positive, default=50, metavar='N', help='how many at most; default: 50')
    options.add_argument('--date', type=date.fromisoformat, help='the day of the list; default: the day of the slot')
    args = options.parse_args()
    day = args.date or day_of_run()

    rows = received(INPUT, 'score-prospects', day, NEEDED)
    scored = sorted(((number(row, 'score', 0, 100), row) for row in rows), key=lambda pair: -pair[0])
    best = scored[: args.limit]
    write([dict(row, rank=rank) for rank, (_, row) in enumerate(best, start=1)])

    record(
        rows_pushed=len(best),
        mean_score_pushed=mean(score for score, _ in best),
        by_channel=dict(Counter(row['contact'] for _, row in best)) or None,
    )
    if not best:
        print(f'No one to contact on {day:%A %d %B %Y}: {OUTPUT} has a header only.')
        return
    scores = f'scores {best[0][0]} to {best[-1][0]}'
    print(f'The best {len(best)} of {len(rows)} for {day:%A %d %B %Y} are in {OUTPUT}, {scores}.')


def write(rows):
    # With a byte order mark: without it Excel takes the file for another encoding than UTF-8.
    with open(OUTPUT, 'w', encoding='utf-8-sig', newline='') as file:
        table = csv.writer(file, lineterminator='\n')
        table.writerow(COLUMNS)
        table.writerows([harmless(row[column]) for column in COLUMNS] for row in rows)


def harmless(cell):
    """A text that begins like a formula gets an apostrophe: a spreadsheet program would execute `=HYPERLINK(…)`."""
    text = str(cell)
    return f"'{text}" if text.lstrip()[:1] in tuple('=+-@') and not is_number(text) else text


def is_number(text):
    try:
        float(text)
        return True
    except ValueError:
        return False


def positive(text):
    value = int(text)
    if value < 1:
        raise argparse.ArgumentTypeError(f'"{text}", expected a whole number of at least 1')
    return value


if __name__ == '__main__':
    run('push-outbound', main)
