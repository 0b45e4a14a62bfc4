import { beforeEach, describe, expect, test } from 'vitest';
import { hour, minute } from '../../shared/instant.ts';
import { Acted } from '../support/api/acted.ts';
import { seven } from '../support/pipeline/cast.ts';

let acted: Acted;
beforeEach(async () => {
  acted = await Acted.create();
});

describe('If-Match', () => {
  test.each([
    'acknowledge',
    'resolve',
  ])('keeps %s from an incident that has changed since it was read', async (order) => {
    const id = await acted.incident();
    const read = await acted.ask('GET', `/incidents/${id}`);
    expect(read).toMatchObject({ status: 200, body: { id, job: 'sick', state: 'open', times: 1 } });
    await acted.world.pass(seven + hour + 2 * minute);
    const stale = await acted.post(`/incidents/${id}/${order}`, {}, { 'if-match': read.etag ?? '' });
    expect([stale.status, stale.body.type]).toEqual([412, 'urn:lamplighter:changed-meanwhile']);
    const now = await acted.ask('GET', `/incidents/${id}`);
    expect(now.body).toMatchObject({ state: 'open', times: 2 });
    expect((await acted.post(`/incidents/${id}/${order}`, {}, { 'if-match': now.etag ?? '' })).status).toBe(200);
  });

  test('keeps the end from a silence that is another than was read, and lets the one that was', async () => {
    const read = await acted.ask('GET', '/silences/abc123');
    expect(read).toMatchObject({ status: 200, body: { id: 'abc123' } });
    expect((await acted.post('/silences/abc123/end', {}, { 'if-match': 'W/"another"' })).status).toBe(412);
    expect((await acted.post('/silences/abc123/end', {}, { 'if-match': read.etag ?? '' })).status).toBe(200);
    expect((await acted.ask('GET', '/silences/abc123')).body.type).toBe('urn:lamplighter:no-such-silence');
  });

  test('of a request that was done is not asked again when its answer got lost', async () => {
    const { etag } = await acted.ask('GET', '/jobs/score');
    const headers = { 'if-match': etag ?? '', 'idempotency-key': 'one' };
    const first = await acted.post('/jobs/score/pause', {}, headers);
    expect(first.status).toBe(200);
    expect(await acted.post('/jobs/score/pause', {}, headers)).toEqual(first);
  });
});
