"""Writes the day's best prospects to outbound.csv, the list that the e-mail tool takes in."""

import argparse
import csv

from handover import received
from slot import count, day_of_run, in_words, mean, record, run

INPUT, OUTPUT = 'scored.csv', 'outbound.csv'
NEEDED = 'id contacted_on score band contact job age balance previous poutcome reasons'.split()
COLUMNS = 'rank id contacted_on score band contact job age balance previous poutcome reasons'.split()


def main():
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument('--limit', type=positive, default=50, metavar='N', help='how many at most; default: 50')
    options.add_argument('--date', metavar='YYYY-MM-DD', help='the day of the list; default: the day of the slot')
    args = options.parse_args()
    day = day_of_run(args.date)

    rows = received(INPUT, 'score-prospects', day, NEEDED)
    scored = sorted(((row.number('score', 0, 100), row) for row in rows), key=lambda pair: -pair[0])
    best = scored[: args.limit]
    write([dict(row, rank=rank) for rank, (_, row) in enumerate(best, start=1)])

    record(
        rows_pushed=len(best),
        mean_score_pushed=mean(score for score, _ in best),
        by_channel=count(row['contact'] for _, row in best),
    )
    if not best:
        print(f'No one to contact on {in_words(day)}: {OUTPUT} has a header only.')
        return
    scores = f'scores {best[0][0]} to {best[-1][0]}'
    print(f'The best {len(best)} of {len(rows)} for {in_words(day)} are in {OUTPUT}, {scores}.')


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
