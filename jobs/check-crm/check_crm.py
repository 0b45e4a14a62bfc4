"""Checks that the CRM answers, how fast, and that it is not empty."""

import os
import sys
import time


def main():
    source = os.environ.get('CRM_SOURCE') or os.path.join(os.path.dirname(os.path.abspath(__file__)), 'crm.csv')
    name = os.path.basename(source)
    began = time.perf_counter()
    try:
        with open(source, 'rb') as crm:
            header = crm.readline().decode('utf-8-sig').strip().split(',')
            prospects = sum(1 for line in crm if line.strip())
    except FileNotFoundError:
        return f'the CRM has moved: {source} is not there. Put its export back or set CRM_SOURCE to the new place'
    except (OSError, UnicodeDecodeError) as error:
        return f'the CRM does not answer: {source}: {error}. Ask its owner, or wait for the next check'
    answer_ms = round((time.perf_counter() - began) * 1000, 2)

    if 'id' not in header:
        return f'the CRM answers nonsense: {name}, line 1: no column "id" in "{",".join(header)[:80]}"'
    record(answer_ms, prospects)
    if prospects == 0:
        return f'the CRM answers but is empty: {name} has a header and no rows, expected at least 1 prospect'
    waiting = 'prospect is' if prospects == 1 else 'prospects are'
    print(f'The CRM answers in {answer_ms} ms, and {prospects} {waiting} in it. All is well.')
    return None


def record(answer_ms, prospects):
    if path := os.environ.get('JOB_METRICS'):
        with open(path, 'a', encoding='utf-8') as file:
            file.write(f'answer_ms={answer_ms}\nprospects={prospects}\n')


if __name__ == '__main__':
    if problem := main():
        print(f'check-crm: {problem}.', file=sys.stderr)
        sys.exit(3)
