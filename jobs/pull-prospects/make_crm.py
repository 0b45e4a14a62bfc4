"""Writes the sample crm.csv: invented people, three weeks, 15 to 30 prospects a day. The same seed, the same file.

    python make_crm.py [SEED]
"""

import csv
import random
import sys
from datetime import timedelta

from crm import SAMPLE_DAYS, SAMPLE_START

JOBS = dict(zip(
    'management technician admin. services blue-collar retired self-employed student unemployed'.split(),
    (24, 20, 14, 10, 14, 8, 5, 3, 2),
))  # fmt: skip
AGES = {'retired': (62, 80), 'student': (18, 27)}


def main(seed):
    # random() alone is promised to stay the same from one Python version to the next, so all draws come from it.
    draw = random.Random(seed).random

    def pick(weights):
        left = draw() * sum(weights.values())
        for value, weight in weights.items():
            left -= weight
            if left < 0:
                break
        return value

    def between(low, high):
        return low + int(draw() * (high - low + 1))

    def yes(share):
        return 'yes' if draw() < share else 'no'

    rows = []
    for offset in range(SAMPLE_DAYS):
        day = SAMPLE_START + timedelta(days=offset)
        weekend = day.weekday() >= 5
        for _ in range(between(15, 17) if weekend else between(18, 30 - 2 * day.weekday())):
            job = pick(JOBS)
            before = draw() < 0.3
            outcome = pick({'failure': 5, 'other': 2, 'success': 3}) if before else 'unknown'
            contact = pick({'cellular': 75, 'telephone': 12, 'unknown': 13})
            housing = yes(0.48)
            chance = 0.06 + 0.55 * (outcome == 'success') + 0.06 * (housing == 'no') + 0.05 * (contact == 'cellular')
            rows.append({
                'id': 10_001 + len(rows), 'contacted_on': day.isoformat(),
                'age': between(*AGES.get(job, (24, 60))), 'job': job,
                'marital': pick({'married': 58, 'single': 30, 'divorced': 12}),
                'education': pick({'secondary': 50, 'tertiary': 34, 'primary': 12, 'unknown': 4}),
                'default': yes(0.02), 'balance': int(draw() ** 3 * 9000) - 300,
                'housing': housing, 'loan': yes(0.15), 'contact': contact,
                'duration': between(20, 600), 'campaign': pick({1: 45, 2: 28, 3: 14, 4: 8, 6: 5}),
                'pdays': between(30, 360) if before else -1, 'previous': between(1, 5) if before else 0,
                'poutcome': outcome, 'y': yes(chance),
            })  # fmt: skip

    with open('crm.csv', 'w', encoding='utf-8', newline='') as file:
        table = csv.DictWriter(file, rows[0].keys(), lineterminator='\n')
        table.writeheader()
        table.writerows(rows)
    print(f'Wrote crm.csv: {len(rows)} invented prospects on {SAMPLE_DAYS} days.')


if __name__ == '__main__':
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 7)
