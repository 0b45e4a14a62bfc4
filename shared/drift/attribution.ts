import type { Change, ChangeKind } from './change.ts';

/** How probable it is, before anything is looked at, that a change of this kind shifts a metric of the job. */
const harm: Record<ChangeKind, number> = {
  model: 0.35,
  'input-profile': 0.3,
  shared: 0.3,
  code: 0.25,
  'input-volume': 0.2,
  package: 0.15,
  manifest: 0.12,
  python: 0.1,
  schedule: 0.1,
  image: 0.06,
  secret: 0.05,
  action: 0.05,
};

/** How probable it is that something shifts a metric at any one run without leaving a trace on our side. */
const unseen = 0.002;

/**
 * How often a change came this many runs after the one that the detector names, measured on 593 shifts of 2 and 3
 * deviations: it errs to the early side, where the values before the change look like those after it by chance.
 */
const law: Readonly<Record<number, number>> = {
  ...{ '-5': 0.004, '-4': 0.004, '-3': 0.008, '-2': 0.017, '-1': 0.054 },
  ...{ 0: 0.74, 1: 0.09, 2: 0.044, 3: 0.015 },
};
/** What came later is taken for no cause: too few are, and any change of a busy job would be near. */
export const latestCause = 3;

/** What a replay of frozen inputs says: whether the job now answers otherwise than it did. */
export type Replay = 'moved' | 'still' | 'unknown';

/** What a replay runs with; a secret may as well lead to other data. */
const ours: ReadonlySet<ChangeKind> = new Set(['model', 'code', 'package', 'python', 'image', 'manifest']);

export interface Evidence {
  /** The run at which the detector says the change of the metric begins. */
  change: number;
  /** All changes near it, in any order. */
  changes: readonly Change[];
  replay: Replay;
  /** Whether the profile of what comes in moved; undefined: not known. */
  inputs?: 'moved' | 'still' | undefined;
  /** Whether the results moved; left out: they did. */
  live?: 'still' | undefined;
}

export interface Candidate {
  /** Null: nothing that is recorded. */
  change: Change | null;
  /** Of 1 over all candidates. */
  weight: number;
}

/** `early`: the job answers its examples otherwise, and its results do not show it yet. */
export type Verdict = 'early' | 'agent' | 'inputs' | 'both' | 'outside' | 'unknown';

export interface Attribution {
  candidates: Candidate[];
  verdict: Verdict;
}

/**
 * The changes that may have caused a finding, likeliest first. A change counts by its distance to the change run, by how
 * often its kind does harm, and by what replay and inputs say. `null` among them is the answer "nothing changed on our side".
 */
export function attribute(evidence: Evidence): Attribution {
  const near = evidence.changes.filter(({ at }) => law[at - evidence.change] !== undefined);
  const candidates: Candidate[] = near.map((change) => ({
    change,
    weight: harm[change.kind] * (law[change.at - evidence.change] ?? 0) * agreement(change.kind, evidence),
  }));
  // First: on a tie nothing is blamed.
  candidates.unshift({ change: null, weight: unseen * agreement(null, evidence) });
  const sum = candidates.reduce((total, { weight }) => total + weight, 0);
  return {
    candidates: candidates
      .map(({ change, weight }) => ({ change, weight: weight / sum }))
      .sort((a, b) => b.weight - a.weight),
    verdict: verdictOf(evidence, near),
  };
}

/** How well a kind of cause goes with what the replay and the inputs say, as a likelihood ratio. */
function agreement(kind: ChangeKind | null, { replay, inputs }: Evidence): number {
  const isOurs = kind !== null && ours.has(kind);
  const isInput = kind === 'input-profile' || kind === 'input-volume';
  let ratio = 1;
  if (replay === 'moved') ratio *= isOurs ? 10 : 0.1;
  if (replay === 'still') ratio *= isOurs ? 0.1 : 2;
  // That the inputs moved is a candidate of its own; that they are still rules inputs out, whatever moved in their number.
  if (inputs === 'still' && kind === 'input-profile') ratio *= 0.1;
  if (inputs === 'moved' && isInput) ratio *= 2;
  return ratio;
}

/** The table of what a replay and the inputs say together; without a replay only a named change can blame the agent. */
function verdictOf({ replay, inputs, live }: Evidence, near: readonly Change[]): Verdict {
  if (live === 'still') return replay === 'moved' ? 'early' : 'unknown';
  const moved = inputs === 'moved' || near.some(({ kind }) => kind === 'input-profile' || kind === 'input-volume');
  if (replay === 'moved') return moved ? 'both' : 'agent';
  if (replay === 'still') return moved ? 'inputs' : 'outside';
  const agent = near.some(({ kind }) => ours.has(kind));
  if (agent && moved) return 'unknown';
  if (agent) return 'agent';
  return moved ? 'inputs' : inputs === 'still' ? 'outside' : 'unknown';
}
