import type { Instant } from '../instant.ts';
import type { Attribution, Replay } from './attribution.ts';
import { type BreachKind, isBreach } from './contract.ts';
import { alikeText } from './finding.ts';
import { dayText, readable, valueText } from './readable.ts';

/** The numbers behind a finding of one metric, in its own unit. */
export interface Numbers {
  metric: string;
  /** How people call it, where the owner said so: `the share of high scores`. */
  label?: string | undefined;
  unit?: string | undefined;
  kind: 'shift_up' | 'shift_down' | 'var_up' | 'var_down' | 'mix' | 'missing' | 'zero' | 'nan' | 'type' | BreachKind;
  share: boolean;
  /** Median before the change, and the range that nine of ten runs before it lay in. */
  before: number;
  low: number;
  high: number;
  /** Median since. */
  after: number;
  /** Of a mix: the category that moved most, with its shares before and after. */
  category?: string | undefined;
  /** Of a breach of the contract: what was seen and expected, as half a sentence and in a few words. */
  detail?: string | undefined;
  brief?: string | undefined;
}

export interface Reported {
  numbers: Numbers;
  /** What else there is in the same episode, in a few words each: {@link briefOf}. */
  others: readonly string[];
  /** The slot of the run at which the change begins, and the zone of the job. */
  since: Instant;
  timeZone: string;
  /** The chance of the finding without a change: one in this many looks. */
  oneIn: number | undefined;
  /** How many runs have been seen since. */
  runs: number;
  /** The run of the change, for the distance to its candidates. */
  change: number;
  attribution?: Attribution | undefined;
  replay?: { state: Replay; changed: number; of: number } | undefined;
  /** Other jobs that drifted with this one. */
  alike?: readonly { job: string; what: string }[] | undefined;
}

/** What happened, since when, why, and what to do: for the owner, without a word of statistics but the chance. */
export function sentenceOf(reported: Reported): string {
  return [happened(reported), why(reported), together(reported), toDo(reported)].filter(Boolean).join(' ');
}

function happened({ numbers, since, timeZone, oneIn, runs, others }: Reported): string {
  const of = numbers.label ?? readable(numbers.metric);
  const day = dayText(since, timeZone);
  const format = (value: number) => valueText(value, numbers);
  const usual = `${format(numbers.before)} (${format(numbers.low)} to ${format(numbers.high)})`;
  const chance = oneIn === undefined ? '' : `; chance alone would do that less than once in ${rounded(oneIn)} runs`;
  const also =
    others.length === 0
      ? ''
      : ` Also: ${others.slice(0, 5).join(', ')}${others.length > 5 ? ` and ${others.length - 5} more` : ''}.`;
  const over = ` (${runs} ${runs === 1 ? 'run' : 'runs'} so far)`;
  switch (numbers.kind) {
    case 'shift_up':
    case 'shift_down':
      return `Since about ${day}${over} ${of} is ${format(numbers.after)} instead of the usual ${usual}${chance}.${also}`;
    case 'var_up':
      return `Since about ${day}${over} ${of} varies more than usual, around ${format(numbers.after)}; it used to lie between ${format(numbers.low)} and ${format(numbers.high)}${chance}.${also}`;
    case 'var_down':
      return `Since about ${day}${over} ${of} hardly varies any more, around ${format(numbers.after)}; it used to lie between ${format(numbers.low)} and ${format(numbers.high)}${chance}.${also}`;
    case 'mix':
      return `Since about ${day}${over} the mix of ${of.replace(/^(the categories of|by|mix( by)?) /, '')} has changed: "${numbers.category ?? ''}" makes up ${format(numbers.after)} instead of the usual ${usual}${chance}.${also}`;
    case 'missing':
      return `Since ${day} ${of} is missing: the job no longer reports it.${also}`;
    case 'zero':
      return `On ${day} ${of} was 0, which it never was before (usually ${usual}).${also}`;
    case 'lost':
    case 'new':
    case 'renamed':
    case 'retyped':
      return `Since ${day}${over} ${numbers.detail}.${also}`;
    case 'value':
      return `On ${day} ${numbers.detail}.${also}`;
    case 'limit':
      return `On ${day} ${of} ${numbers.detail} by job.yaml.${also}`;
    default:
      return `On ${day} ${of} ${numbers.detail ?? 'was no number'}.${also}`;
  }
}

function why({ attribution, change, replay }: Reported): string {
  if (!attribution) return '';
  const [first, second] = attribution.candidates;
  const frozen = replay && replay.state !== 'unknown' ? replayText(replay) : '';
  if (!first?.change) {
    const then = frozen ? `${capital(frozen)}. ` : '';
    const outside =
      attribution.verdict === 'outside'
        ? ' What came in looks as before, so look at what the job asks outside: lookup tables, other services, the date.'
        : '';
    return `${then}No change of code, packages, model, secrets or schedule is on record around then.${outside}`;
  }
  const named = first.change;
  if (named.kind === 'shared') {
    const others = attribution.candidates.flatMap(({ change }) => (change?.kind === 'shared' ? [change.text] : []));
    return `${capital(others.join('; '))}: what they have in common may be the cause.${frozen ? ` ${capital(frozen)}.` : ''}`;
  }
  const distance = change - named.at;
  const at = distance === 0 ? 'with the run at which' : distance > 0 ? `${countText(distance)} after` : 'just before';
  const sure = first.weight >= 0.75 ? 'is the likely cause' : 'may be the cause';
  const also =
    second?.change && second.change.kind !== 'shared' && second.weight >= 0.2
      ? ` Possible too: ${second.change.text}.`
      : '';
  const inputs =
    attribution.verdict === 'agent' && replay
      ? ''
      : attribution.verdict === 'both'
        ? ' The incoming rows moved as well.'
        : '';
  return `It began ${at} ${named.text}${frozen ? `; ${frozen}` : ''}, so that ${sure}.${inputs}${also}`;
}

/** Unless they are the likeliest cause, and named as that. */
function together({ alike = [], attribution }: Reported): string {
  return attribution?.candidates[0]?.change?.kind === 'shared' ? '' : alikeText(alike);
}

function toDo({ numbers, attribution }: Reported): string {
  const [first] = attribution?.candidates ?? [];
  if (numbers.kind === 'missing')
    return 'Check whether it was renamed or no longer written; if that is meant, reset its baseline.';
  if (numbers.kind === 'zero' || numbers.kind === 'nan' || numbers.kind === 'limit')
    return 'Check the results of this run before they are used.';
  if (numbers.kind === 'value')
    return 'Check the rows with this value; if they are right, accept the finding as expected.';
  if (numbers.kind === 'new') return 'If the column is meant to be there, accept the finding as expected.';
  if (isBreach(numbers.kind))
    return first?.change
      ? 'Programs that read this file may fail: undo the change, or accept the finding as expected.'
      : 'Programs that read this file may fail: find out who changed it, or accept the finding as expected.';
  if (numbers.metric.startsWith('run:'))
    return 'Check whether the job has more to do or waits for another system; if that is meant, accept the new level as expected.';
  switch (first?.change?.kind) {
    case 'model':
    case 'code':
    case 'package':
    case 'python':
    case 'image':
    case 'manifest':
      return 'Compare some results from before and after; undo the change, or accept the new level as expected.';
    case 'input-volume':
    case 'input-profile':
      return 'Ask the supplier of the data whether this is right; if so, accept the new level as expected.';
    default:
      return numbers.kind === 'var_up' || numbers.kind === 'var_down'
        ? 'Compare some of these runs with earlier ones; if they are right, accept the new range as expected.'
        : 'Compare some results with earlier ones: if they are right, accept the new level as expected; if not, look at what the job reads.';
  }
}

function replayText({ state, changed, of }: NonNullable<Reported['replay']>): string {
  return state === 'moved'
    ? `${changed} of ${of} frozen examples now get a different answer`
    : `all ${of} frozen examples still get the same answer`;
}

function rounded(value: number): string {
  return Math.min(1e6, Number(value.toPrecision(2))).toLocaleString('en-GB');
}

function countText(runs: number): string {
  return runs === 1 ? 'one run' : `${runs} runs`;
}

function capital(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1);
}
