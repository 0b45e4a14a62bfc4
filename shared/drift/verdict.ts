import {
  answerDigest,
  type Difference,
  judgeReplays,
  type Noise,
  noiseOf,
  noisier,
  type Outputs,
  saysAnything,
} from './golden.ts';
import type { Replayed, ReplayState } from './replay.ts';

/** From the answers of one replay to what is kept of it. */

export interface Given {
  state: ReplayState;
  reason: Replayed['reason'];
  golden: string;
  /** What was accepted, by example; one without is not compared. */
  accepted: ReadonlyMap<string, Outputs>;
  answers: ReadonlyMap<string, readonly Outputs[]>;
  /** `failed` with the job's own exit code is an answer; what came late or lacks its input says nothing. */
  problems: ReadonlyMap<string, { problem: string; kind: string }>;
  /** As measured when the answers were accepted. */
  declared: Noise;
}

export type Judged = Pick<
  Replayed,
  'state' | 'changed' | 'of' | 'alarmAt' | 'worst' | 'answers' | 'problems' | 'error'
> &
  Pick<ReplayState, 'golden' | 'noise' | 'unusable'>;

/** Shown of one value, characters. */
const mostShown = 200;
/** Places that are remembered as volatile, of one file. */
const mostPlaces = 100;
const mostProblem = 200;

export function judgeReplayed(given: Given): Judged {
  const { state, accepted, answers, problems } = given;
  const fresh = state.golden !== given.golden || state.noise === null;
  const noise = bounded(fresh ? noisier(given.declared, noiseOf(new Map(answers))) : (state.noise ?? given.declared));
  const unusable = fresh ? failing(problems) : state.unusable;
  const compared = new Map<string, Outputs>();
  const said: Record<string, string> = {};
  for (const name of new Set([...accepted.keys(), ...answers.keys(), ...problems.keys()])) {
    const problem = problems.get(name);
    const was = accepted.get(name);
    if (!was) said[name] = 'has no accepted answer yet: lamp replay --accept';
    else if (Object.hasOwn(unusable, name)) said[name] = unusable[name] ?? '';
    else if (!saysAnything(was, noise.volatile)) said[name] = 'every value of it differs by itself';
    else if (problem && problem.kind !== 'failed') said[name] = problem.problem.slice(0, mostProblem);
    else compared.set(name, was);
    if (problem && was && !Object.hasOwn(said, name)) said[name] = problem.problem.slice(0, mostProblem);
  }
  const silent = [...compared.keys()].every((name) => !answers.has(name));
  const verdict = judgeReplays(compared, answers, noise, state.expected);
  const error = compared.size === 0 || silent ? why(said) : verdict.alarmAt > verdict.of ? noisy(verdict.of) : null;
  return {
    ...verdict,
    state: error === null ? verdict.state : 'unknown',
    worst: verdict.worst.map(shown),
    answers: Object.fromEntries(
      [...answers].map(([name, all]) => [name, [...new Set(all.map((one) => answerDigest(one, noise.volatile)))]]),
    ),
    problems: said,
    error,
    golden: given.golden,
    noise,
    unusable,
  };
}

function noisy(of: number): string {
  return `the job answers so differently by itself that ${of} examples say nothing: give it more, or set the temperature to 0`;
}

function why(said: Readonly<Record<string, string>>): string {
  const [first] = Object.entries(said);
  return first ? `no example can be compared (${first[0]}: ${first[1]})` : 'no example can be compared';
}

function failing(problems: Given['problems']): Record<string, string> {
  return Object.fromEntries(
    [...problems].map(([name, { problem }]) => [name, `failed when it was new: ${problem}`.slice(0, mostProblem)]),
  );
}

function bounded(noise: Noise): Noise {
  const volatile = Object.entries(noise.volatile).map(([file, places]) => [file, places.slice(0, mostPlaces)]);
  return { ...noise, volatile: Object.fromEntries(volatile) };
}

function shown(difference: Difference): Difference {
  const cut = (text: string) => (text.length <= mostShown ? text : `${text.slice(0, mostShown - 1)}…`);
  const { path, was, is } = difference;
  return { ...difference, path: cut(path), was: cut(was), is: cut(is) };
}
