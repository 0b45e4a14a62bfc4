"""Writes the day's best prospects to outbound.xlsx, the spreadsheet that the e-mail tool takes in."""

import argparse

from handover import received
from sheet import write_sheet
from slot import count, day_of_run, in_words, mean, record, run

INPUT, OUTPUT = 'scored.csv', 'outbound.xlsx'
NEEDED = 'id contacted_on score band contact job age balance previous poutcome reasons'.split()
COLUMNS = [
    ('Rank', 6), ('Prospect', 11), ('Contact on', 12), ('Score', 7), ('Band', 7), ('Channel', 11), ('Job', 15),
    ('Age', 6), ('Balance', 10), ('Contacts before', 16), ('Last outcome', 13), ('Why', 90),
]  # fmt: skip


def main():
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument('--limit', type=positive, default=50, metavar='N', help='how many at most; default: 50')
    options.add_argument('--date', metavar='YYYY-MM-DD', help='the day of the list; default: the day of the slot')
    args = options.parse_args()
    day = day_of_run(args.date)

    rows = received(INPUT, 'score-prospects', day, NEEDED)
    scored = sorted(((row.number('score', 0, 100), row) for row in rows), key=lambda pair: -pair[0])
    best = scored[: args.limit]
    lines = [line(rank, score, row, day) for rank, (score, row) in enumerate(best, start=1)]
    write_sheet(OUTPUT, f'Outbound {day}', COLUMNS, lines)

    record(
        rows_pushed=len(best),
        mean_score_pushed=mean(score for score, _ in best),
        by_channel=count(row['contact'] for _, row in best),
    )
    if not best:
        print(f'Nobody to contact on {in_words(day)}: {OUTPUT} has headers only.')
        return
    scores = f'scores {best[0][0]} to {best[-1][0]}'
    print(f'The best {len(best)} of {len(rows)} for {in_words(day)} are in {OUTPUT}, {scores}.')


def line(rank, score, row, day):
    return [
        rank, identifier(row.text('id')), day, score, row['band'], row['contact'], row['job'],
        row.number('age', 0, 130), row.number('balance', -1_000_000_000, 1_000_000_000),
        row.number('previous', 0, 100_000), row['poutcome'], row['reasons'],
    ]  # fmt: skip


def identifier(text):
    """A number where that loses nothing: 0017 and ids of 16 digits stay text."""
    plain = text.isascii() and text.isdigit() and len(text) <= 15
    return int(text) if plain and text == str(int(text)) else text


def positive(text):
    value = int(text)
    if value < 1:
        raise argparse.ArgumentTypeError(f'"{text}", expected a whole number of at least 1')
    return value


if __name__ == '__main__':
    run('push-outbound', main)
