import { withAdvice } from '../advice.ts';
import type { Instant } from '../instant.ts';
import type { Attribution, Replay } from './attribution.ts';
import { type BreachKind, isBreach } from './contract.ts';
import { alikeText } from './finding.ts';
import { dayText, named, valueText } from './readable.ts';

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
  /** Of a spread that changed: the least and the most since. */
  latest?: readonly [number, number] | undefined;
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
  const what = [happened(reported), why(reported), together(reported)].filter(Boolean).join(' ');
  return withAdvice(what, toDo(reported));
}

function happened({ numbers, since, timeZone, oneIn, runs, others }: Reported): string {
  const of = named(numbers);
  const day = dayText(since, timeZone);
  const format = (value: number) => valueText(value, numbers);
  const chance = oneIn === undefined ? '' : ` By chance alone that happens less than once in ${rounded(oneIn)} runs.`;
  const also =
    others.length === 0
      ? ''
      : ` Also: ${others.slice(0, 5).join(', ')}${others.length > 5 ? ` and ${others.length - 5} more` : ''}.`;
  const over = ` (${runs} ${runs === 1 ? 'run' : 'runs'} so far)`;
  const range = `nine of ten runs gave ${format(numbers.low)} to ${format(numbers.high)}`;
  const usual = `Before, it was usually ${format(numbers.before)}; ${range}.`;
  const latest =
    numbers.latest === undefined
      ? `it is around ${format(numbers.after)}`
      : `these runs gave ${format(numbers.latest[0])} to ${format(numbers.latest[1])}`;
  switch (numbers.kind) {
    case 'shift_up':
    case 'shift_down':
      return `Since about ${day}${over} ${of} has been ${format(numbers.after)}. ${usual}${chance}${also}`;
    case 'var_up':
      return `Since about ${day}${over} ${of} has varied more than usual: ${latest}. Before, ${range}.${chance}${also}`;
    case 'var_down':
      return `Since about ${day}${over} ${of} has hardly varied any more: ${latest}. Before, ${range}.${chance}${also}`;
    case 'mix':
      return `Since about ${day}${over} "${numbers.category ?? ''}" has made up ${format(numbers.after)} of ${of}. ${usual}${chance}${also}`;
    case 'missing':
      return `Since ${day} ${of} is missing: the job no longer reports it.${also}`;
    case 'zero':
      return `On ${day} ${of} was 0, which it never was before. ${usual}${also}`;
    case 'lost':
    case 'new':
    case 'renamed':
    case 'retyped':
      return `Since ${day}${over} ${numbers.detail}.${also}`;
    case 'value':
      return `On ${day} ${numbers.detail}.${also}`;
    case 'limit':
      return `On ${day} ${of} ${numbers.detail}, by the job's own rule in job.yaml.${also}`;
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
    return `${then}The job itself was not changed around then: no change of its code, packages, model, secrets or schedule is on record.${outside}`;
  }
  const named = first.change;
  if (named.kind === 'shared') {
    const others = attribution.candidates.flatMap(({ change }) => (change?.kind === 'shared' ? [change.text] : []));
    return `${capital(others.join('; '))}: what they have in common may be the cause.${frozen ? ` ${capital(frozen)}.` : ''}`;
  }
  const distance = change - named.at;
  const at = distance === 0 ? 'with the run at which' : distance > 0 ? `${countText(distance)} after` : 'about when';
  const sure = first.weight >= 0.75 ? 'is the likely cause' : 'may be the cause';
  const also =
    second?.change && second.change.kind !== 'shared' && second.weight >= 0.2
      ? ` Possible too: ${second.change.text}.`
      : '';
  const inputs = attribution.verdict === 'both' ? ' The incoming rows moved as well.' : '';
  return `It began ${at} ${named.text}${frozen ? `; ${frozen}` : ''}. That ${sure}.${inputs}${also}`;
}

/** Unless they are the likeliest cause, and named as that. */
function together({ alike = [], attribution }: Reported): string {
  return attribution?.candidates[0]?.change?.kind === 'shared' ? '' : alikeText(alike);
}

/** The words in quotes are the answers that a message, the command line and the API take. */
function toDo({ numbers, attribution }: Reported): string {
  const cause = attribution?.candidates[0]?.change?.kind;
  const change = cause !== undefined && cause !== 'shared' && cause !== 'input-volume' && cause !== 'input-profile';
  if (numbers.kind === 'missing')
    return 'Ask the one who looks after the script whether it was renamed or left out. If that is meant, answer "expected"; if not, answer "real" and have it put back.';
  if (numbers.kind === 'limit')
    return 'Do not use the results of this run before they are checked. If they are wrong, answer "real", and have the cause found and the job run again. If they are right, have the rule in job.yaml changed, and answer "once".';
  if (numbers.kind === 'zero' || numbers.kind === 'nan')
    return 'Do not use the results of this run before they are checked. If they are right, answer "once"; if not, answer "real" and have the job run again.';
  if (numbers.kind === 'value')
    return 'Check the rows with this value. If they are right, answer "expected"; if not, answer "real" and have the data corrected.';
  if (numbers.kind === 'new')
    return 'If the column is meant to be there, answer "expected"; if not, answer "real" and have it removed.';
  if (isBreach(numbers.kind)) {
    const ask = change
      ? 'Ask the one who made the change whether it is meant.'
      : 'Ask the one who looks after the script why: as the job was not changed, the cause is probably in what it reads.';
    return `Warn those who use this file, as their figures may be wrong. ${ask} If it is meant, answer "expected"; if not, answer "real" and have it corrected.`;
  }
  if (numbers.metric.startsWith('run:'))
    return 'Check whether the job has more data to work on, or whether a database or service that it asks has become slow. If that is meant, answer "expected"; if not, answer "real" and have it looked into.';
  if (cause === 'input-volume' || cause === 'input-profile')
    return 'Ask the one who supplies the data whether this is right. If so, answer "expected"; if not, answer "real", have the data corrected, and the job run again.';
  const compare = 'Compare a few results from before and after.';
  if (change)
    return `${compare} If the new ones are right, answer "expected"; if they are worse, answer "real" and have the change undone.`;
  return `${compare} If the new ones are right, answer "expected", or "once" if it will pass; if they are wrong, answer "real" and have ${suspectOf(attribution)} looked at.`;
}

/** Where an unknown cause is looked for. */
function suspectOf(attribution: Attribution | undefined): string {
  if (attribution?.candidates[0]?.change?.kind === 'shared') return 'what these jobs have in common';
  const isOutside = attribution?.verdict === 'agent' || attribution?.verdict === 'outside';
  return isOutside ? 'the services and models that the job asks' : 'the data that the job reads';
}

function replayText({ state, changed, of }: NonNullable<Reported['replay']>): string {
  return state === 'moved'
    ? `${changed} of ${of} frozen examples, whose input is always the same, now get a different answer`
    : `all ${of} frozen examples, whose input is always the same, still get the same answer`;
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
