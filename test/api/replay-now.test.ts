import { beforeEach, describe, expect, test } from 'vitest';
import { minute } from '../../shared/instant.ts';
import { register } from '../../shared/pipeline/deployments.ts';
import { Acted } from '../support/api/acted.ts';
import { packed } from '../support/drift/replays.ts';

let acted: Acted;
beforeEach(async () => {
  acted = await Acted.create();
});

describe('a replay that a person asks for', () => {
  const golden = (body = {}) => acted.post('/jobs/golden/replays', body);

  test('waits for the one under way, and is done then', async () => {
    const first = await golden();
    acted.world.now += 2 * minute;
    const second = await golden({ why: 'once more' });
    expect(second.body).toEqual({ job: 'golden', run: null, after: first.body.run });
    expect((await golden()).body).toEqual(second.body);
    await acted.world.pass(acted.world.now + 5 * minute);
    // The newest first; the one before both followed the run of seven.
    const [next, asked, ...before] = await acted.world.store.replays.list('golden', 9);
    expect(before).toHaveLength(1);
    expect(`golden.${asked?.run}`).toBe(first.body.run);
    expect(next?.slot).toBeGreaterThan(asked?.slot ?? Number.POSITIVE_INFINITY);
  });

  test('that has only just been started answers the next one too', async () => {
    const first = await golden();
    acted.world.now += minute / 2;
    expect((await golden({ why: 'me too' })).body).toEqual(first.body);
  });

  test('is of the examples that were deployed where this process has read no code', async () => {
    const { golden: _, ...known } = await packed('golden');
    await register(acted.world.parts, acted.world.jobs, acted.world.now);
    acted.world.jobs.set('golden', known);
    expect((await golden()).body).toMatchObject({ run: expect.stringMatching(/^golden\./), after: null });
  });

  test.each([
    ['sick', 409, 'it has no frozen examples'],
    ['nothing', 404, 'expected the name of a job'],
  ])('of %s is refused with the reason', async (name, status, detail) => {
    const before = await acted.audit();
    const answer = await acted.post(`/jobs/${name}/replays`, {});
    expect([answer.status, answer.body.detail]).toEqual([status, expect.stringContaining(detail)]);
    expect(await acted.audit()).toBe(before);
  });

  test('of a job that does not say how is refused, and says what to write', async () => {
    acted.world.jobs.set('golden', await packed('golden', {}, 'outputs: [out.csv]\n'));
    expect((await golden()).body.detail).toContain('add replay: { command: [...] }');
    acted.world.jobs.set('golden', await packed('golden', {}, 'replay: { command: [python, main.py] }\n'));
    expect((await golden()).body.detail).toContain('declares no outputs to compare');
  });
});
