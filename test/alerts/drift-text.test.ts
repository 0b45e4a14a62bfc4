import { expect, test } from 'vitest';
import { withAdvice } from '../../shared/advice.ts';
import { compose, type Story } from '../../shared/alerts/compose.ts';
import { opened, resolved } from '../../shared/alerts/incident.ts';
import { messageText } from '../../shared/alerts/message.ts';
import { hour } from '../../shared/instant.ts';
import { job, seven } from '../support/pipeline/cast.ts';

const text = withAdvice(
  'Since about Fri 20 Nov 2026 (8 runs so far) the figure "mean score" has been 0.72.',
  'Compare a few results from before and after.',
);
const sighting = {
  job: 'score',
  cause: 'drift',
  subject: '1',
  tier: 'standard',
  text,
  run: null,
  slot: seven,
} as const;
const incident = opened({ ...sighting, since: seven }, seven);
const story = (one: Story['incident']): Story => {
  return { incident: one, job: job('score'), run: undefined, usual: undefined, changes: undefined, detail: '' };
};

test('a message about drift has the advice of the finding as its first step, and how to answer', () => {
  const said = messageText(compose('k', [story(incident)], [], seven + hour));
  expect(said).toMatch(/^UNUSUAL score\n/);
  expect(said).toContain('has been 0.72.\n\nFirst step: Compare a few results from before and after. To answer,');
  expect(said).toContain('lamp drift score --answer expected|once|real --why');
  expect(said).toContain('; seen once');
});

test('one that is over asks for nothing any more', () => {
  const over = resolved({ ...incident, text: 'The job is as usual again. It was: up.' }, seven + hour) ?? incident;
  const said = messageText(compose('k', [story(over)], [], seven + hour));
  expect(said).toContain('It is over. The job is as usual again. It was: up. If results of these days were used,');
  expect(said).not.toMatch(/Compare|First step|--answer/);
});
