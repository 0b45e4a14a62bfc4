import { expect, test } from 'vitest';
import { answer, pinBaseline, resetBaseline, snooze } from '../../shared/actions/drift.ts';
import { defaultBudget } from '../../shared/drift/budget.ts';
import { type Finding, opened } from '../../shared/drift/finding.ts';
import { newState, type Sign, see } from '../../shared/drift/state.ts';
import { day, type Instant } from '../../shared/instant.ts';
import type { JobEvent } from '../../shared/run/job-event.ts';
import type { Store } from '../../shared/store/store.ts';
import { series } from './../support/drift/families.ts';
import { memoryStore } from '../support/storage/memory.ts';

const zero: Instant = Date.UTC(2026, 0, 5, 7);
const dana = { by: 'dana@contoso.com', why: 'new price list' };

async function drifted(): Promise<{ store: Store; finding: Finding }> {
  const { store } = memoryStore(() => zero);
  const values = series('normal', 'answer', 54, { at: 40, size: 4, form: 'shift' }).values as number[];
  let state = newState('score', 'mean', 0.5);
  let found: Sign | undefined;
  values.forEach((value, i) => {
    const step = see(state, zero + i * day, value, { timeZone: 'UTC', fast: false, budget: defaultBudget });
    state = step.state;
    found ??= step.sign;
  });
  if (!found) throw new Error('the shift was not found');
  const finding = opened('score', found);
  await store.drift.putStates([state, newState('score', 'other', 1)]);
  await store.drift.putFinding(finding);
  return { store, finding };
}

async function audit(store: Store): Promise<JobEvent[]> {
  const found: JobEvent[] = [];
  for await (const event of store.events.list('score')) found.push(event);
  return found;
}

const stateOf = async (store: Store, name = 'mean') =>
  (await store.drift.states('score')).find(({ metric }) => metric === name);

test('expected from now on moves the pin to the change, with who and why in the audit', async () => {
  const { store, finding } = await drifted();
  const now = await answer({ store }, finding, 'expected', dana, zero + 60 * day);
  expect(now).toMatchObject({ state: 'expected', answered: dana });
  expect(await stateOf(store)).toMatchObject({ drifted: null, pinned: dana });
  expect((await stateOf(store))?.points[0]?.slot).toBe(finding.since);
  expect(await audit(store)).toMatchObject([{ kind: 'drift-answered', ...dana }]);
});

test('expected once keeps the pin and forgets the runs since', async () => {
  const { store, finding } = await drifted();
  await answer({ store }, finding, 'once', dana, zero + 60 * day);
  expect((await stateOf(store))?.points.every(({ slot }) => slot < finding.since)).toBe(true);
});

test('real leaves the baseline as it is', async () => {
  const { store, finding } = await drifted();
  const before = await stateOf(store);
  await answer({ store }, finding, 'real', dana, zero + 60 * day);
  expect(await stateOf(store)).toEqual(before);
  expect((await store.drift.findings('score', 1))[0]?.state).toBe('real');
});

test('a snooze has an end and stays a finding', async () => {
  const { store, finding } = await drifted();
  const until = zero + 67 * day;
  expect(await snooze({ store }, finding, until, dana, zero + 60 * day)).toMatchObject({
    state: 'open',
    snoozedUntil: until,
  });
});

test('a pin and a reset of one metric leave the others alone', async () => {
  const { store } = await drifted();
  expect(await pinBaseline({ store }, 'score', zero + 50 * day, 'mean', dana, zero)).toEqual(['mean']);
  expect((await stateOf(store))?.points).toHaveLength(4);
  await resetBaseline({ store }, 'score', 'mean', dana, zero + 1);
  expect(await stateOf(store)).toBeUndefined();
  expect(await stateOf(store, 'other')).toBeDefined();
  expect((await audit(store)).map(({ kind }) => kind).sort()).toEqual(['baseline-pinned', 'baseline-reset']);
});
