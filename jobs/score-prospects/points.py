"""How a prospect's score comes about: points that can be read, added up and argued about.

Never from `duration` (how long the call took) or `y` (whether the prospect subscribed): both exist only after the
call that the score is to decide on. In a look-back they would make the score look brilliant, and useless every morning.
"""

from handover import number

START = 20
HIGH = 50  # from here on a prospect counts as a high score
BANDS = ((75, 'hot'), (HIGH, 'warm'), (25, 'cool'), (0, 'cold'))
NEEDED = 'id contacted_on job contact age balance housing loan default campaign pdays previous poutcome'.split()


def points(row):
    """(points, reason) for everything that counts for or against the prospect."""
    if row['poutcome'] == 'success':
        yield 35, 'subscribed last time'
    elif row['poutcome'] == 'other':
        yield 8, 'last campaign left open'

    previous = number(row, 'previous', 0, 100_000)
    if previous >= 3:
        yield 8, 'well known to us'
    elif previous >= 1:
        yield 6, 'known to us'

    days_since = number(row, 'pdays', -1, 100_000)  # -1: never contacted before
    if 0 <= days_since <= 90:
        yield 12, 'spoke within 90 days'
    elif 90 < days_since <= 200:
        yield 8, 'spoke within 200 days'

    calls = number(row, 'campaign', 0, 100_000)
    if calls <= 1:
        yield 8, 'first call of the campaign'
    elif calls <= 3:
        yield 4, 'few calls so far'
    elif calls > 5:
        yield -8, 'called too often'

    balance = number(row, 'balance', -1_000_000_000, 1_000_000_000)
    if balance < 0:
        yield -8, 'overdrawn'
    elif balance >= 1500:
        yield 8, 'high balance'
    elif balance >= 500:
        yield 4, 'fair balance'

    yield (-8, 'pays a mortgage') if row['housing'] == 'yes' else (6, 'no mortgage')
    if row['loan'] == 'yes':
        yield -6, 'pays a loan'
    if row['default'] == 'yes':
        yield -6, 'in default'

    if row['contact'] == 'cellular':
        yield 10, 'mobile number'
    elif row['contact'] == 'telephone':
        yield 8, 'landline'
    else:
        yield -6, 'no known number'


def score(row):
    """(score from 0 to 100, its reasons in words with the weightiest first)."""
    parts = sorted(points(row), key=lambda part: -abs(part[0]))
    total = START + sum(value for value, _ in parts)
    return max(0, min(100, total)), '; '.join(f'{reason} {value:+d}' for value, reason in parts)


def band(value):
    return next(name for floor, name in BANDS if value >= floor)
