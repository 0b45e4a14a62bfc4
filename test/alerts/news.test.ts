import { expect, test } from 'vitest';
import { opened, reported, resolved, withNews } from '../../shared/alerts/incident.ts';
import { hour, minute } from '../../shared/instant.ts';
import { seven } from '../support/pipeline/cast.ts';

const seen = { job: 'score', cause: 'drift', tier: 'standard', text: 'It moved.', subject: '1' } as const;
const incident = opened(seen, seven);

test('what is found before the first message goes into it', () => {
  const next = withNews(incident, 'It moved: the model.', 'drift: model', seven + minute);
  expect(next).toMatchObject({ text: 'It moved: the model.', group: 'drift: model', step: 1, kind: 'opened' });
});

test('what is found after a message was sent is followed by one with the news', () => {
  const out = reported(incident, 1, seven + minute) ?? incident;
  const next = withNews(out, 'It moved: the model.', 'drift: model', seven + hour);
  expect(next).toMatchObject({ text: 'It moved: the model.', step: 2, kind: 'reminder', reportAt: seven + hour });
});

test('the same again, or news of what is over, changes nothing', () => {
  expect(withNews(incident, 'It moved.', null, seven + hour)).toBeUndefined();
  const over = resolved(incident, seven + minute) ?? incident;
  expect(withNews(over, 'It moved: the model.', null, seven + hour)).toBeUndefined();
});
