import { withAdvice } from '../advice.ts';
import type { Instant } from '../instant.ts';
import type { Attribution } from './attribution.ts';
import { dayText } from './readable.ts';

export interface Early {
  since: Instant;
  timeZone: string;
  changed: number;
  of: number;
  attribution: Attribution;
  /** No earlier replay answered as accepted. */
  isNew: boolean;
}

/** The early warning: the job answers its frozen examples otherwise, and its results do not show it yet. */
export function earlySentence({ since, timeZone, changed, of, attribution, isNew }: Early): string {
  const [first, second] = attribution.candidates;
  const day = dayText(since, timeZone);
  const examples = `${changed} of ${of} frozen examples`;
  if (isNew) {
    const what = `On ${day} ${examples} got another answer than the accepted one in the first replay by the service. Their accepted answers come from other code, packages or another machine.`;
    return withAdvice(
      what,
      'Look at the differences; then accept the answers of now (lamp replay --accept), or fix the job.',
    );
  }
  const what = `Since ${day} ${examples} get another answer than the accepted one, though their input is the same. The results of the job do not show it yet.`;
  const also = second?.change && second.weight >= 0.2 ? ` Possible too: ${second.change.text}.` : '';
  const why = first?.change
    ? `It began when ${first.change.text}.${also}`
    : 'The job itself was not changed: look at what it asks outside, such as a model behind a service.';
  const undo = first?.change ? ' and have the change undone' : '';
  return withAdvice(
    `${what} ${why}`,
    `Look at the differences before the next results are used. If the new answers are right, answer "expected"; if they are worse, answer "real"${undo}.`,
  );
}
