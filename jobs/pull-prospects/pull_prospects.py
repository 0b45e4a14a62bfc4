"""Pulls the prospects to contact on the run's day from the CRM and writes prospects.csv."""

import argparse
import csv
import os
from pathlib import Path

from crm import prospects_on, sample_day
from rows import load
from slot import count, day_of_run, in_words, mean, record, run

SAMPLE = Path(__file__).with_name('crm.csv')
OUTPUT = 'prospects.csv'


def main():
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument('--source', metavar='FILE', help='CRM export; default: $CRM_SOURCE, else the sample crm.csv')
    options.add_argument('--date', metavar='YYYY-MM-DD', help='the day to pull; default: the day of the slot')
    args = options.parse_args()

    day = day_of_run(args.date)
    source = args.source or os.environ.get('CRM_SOURCE')
    if source:
        data = load(source, 'Give the CRM export with --source FILE or CRM_SOURCE')
        columns, rows = prospects_on(data, source, day)
    else:
        data = load(SAMPLE, 'Write it again with: python make_crm.py')
        columns, rows = prospects_on(data, SAMPLE.name, sample_day(day))
        for row in rows:
            row['contacted_on'] = day.isoformat()

    write(columns, rows)
    channels = count(row['contact'] for row in rows)
    record(
        rows=len(rows),
        by_channel=channels,
        by_job=count(row['job'] for row in rows),
        mean_balance=mean(int(row['balance']) for row in rows),
        mean_age=mean(int(row['age']) for row in rows),
        share_contacted_before=mean((int(row['pdays']) >= 0 for row in rows), 4),
    )
    if not rows:
        print(f'No prospects to contact on {in_words(day)}: {OUTPUT} has a header only.')
        return
    mix = ', '.join(f'{number} {channel}' for channel, number in channels.items())
    who = 'prospect' if len(rows) == 1 else 'prospects'
    print(f'Pulled {len(rows)} {who} for {in_words(day)} from {Path(source or SAMPLE).name}: {mix}.')


def write(columns, rows):
    with open(OUTPUT, 'w', encoding='utf-8', newline='') as file:
        table = csv.writer(file, lineterminator='\n')
        table.writerow(columns)
        table.writerows(row.values() for row in rows)


if __name__ == '__main__':
    run('pull-prospects', main)
