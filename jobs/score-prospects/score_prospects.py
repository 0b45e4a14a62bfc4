"""Scores the day's prospects from 0 to 100 against what is known of them and writes scored.csv, best first."""

import argparse
import csv
from collections import Counter
from datetime import date

from handover import day_of_run, mean, received, record, run
from points import HIGH, NEEDED, band, score

INPUT, OUTPUT = 'prospects.csv', 'scored.csv'
COLUMNS = 'id contacted_on score band contact job age balance previous poutcome reasons'.split()


def main():
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument('--date', type=date.fromisoformat, help='the day to score; default: the day of the slot')
    day = options.parse_args().date or day_of_run()

    rows = received(INPUT, 'pull-prospects', day, NEEDED)
    for row in rows:
        row['score'], row['reasons'] = score(row)
        row['band'] = band(row['score'])
    rows.sort(key=lambda row: -row['score'])  # stable: equal scores keep the order of the CRM
    high = [row for row in rows if row['score'] >= HIGH]

    with open(OUTPUT, 'w', encoding='utf-8', newline='') as file:
        table = csv.DictWriter(file, COLUMNS, extrasaction='ignore', lineterminator='\n')
        table.writeheader()
        table.writerows(rows)
    record(
        rows_scored=len(rows),
        mean_score=mean(row['score'] for row in rows),
        share_high=mean((row['score'] >= HIGH for row in rows), 4),
        by_channel=high_by_channel(rows) or None,
        by_band=dict(Counter(row['band'] for row in rows)) or None,
    )
    if not rows:
        print(f'Nothing to score for {day:%A %d %B %Y}: {INPUT} has no rows.')
        return
    print(
        f'Scored {len(rows)} for {day:%A %d %B %Y}: {len(high)} at {HIGH} points or more, '
        f'mean {mean(row["score"] for row in rows)}.'
    )
    look_back(rows, high)


def high_by_channel(rows):
    """High scores per channel; a channel that has prospects but no high score counts 0."""
    channels = dict.fromkeys((row['contact'] for row in rows), 0)
    for row in rows:
        channels[row['contact']] += row['score'] >= HIGH
    return channels


def look_back(rows, high):
    """Was the score right? Answered only for old exports, in which `y` says how the call ended."""
    answered = [row for row in rows if row.get('y') in ('yes', 'no')]
    if len(answered) < len(rows):
        return
    base_rate = mean((row['y'] == 'yes' for row in rows), 4)
    precision_high = mean((row['y'] == 'yes' for row in high), 4)
    record(base_rate=base_rate, precision_high=precision_high)
    reported = 'there were no high scores' if precision_high is None else f'of the high scores {precision_high:.0%}'
    print(f'Look-back only, not known before the calls: {base_rate:.0%} of all subscribed, {reported}.')


if __name__ == '__main__':
    run('score-prospects', main)
