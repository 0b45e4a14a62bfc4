import { type Attribution, attribute, type Replay } from '../../../shared/drift/attribution.ts';
import { type Change, changesBetween, type RunFacts } from '../../../shared/drift/change.ts';
import { detect } from '../../../shared/drift/detect.ts';
import { movedAt } from '../../../shared/drift/moved.ts';
import { chanceFor, series } from './families.ts';

/** Incidents whose cause is known: the cause of a shift is set off at one run, and unrelated changes happen all the time. */
export const causes = [
  'code',
  'package',
  'model',
  'secret',
  'schedule',
  'input-volume',
  'input-profile',
  'none',
] as const;
export type Cause = (typeof causes)[number];

export interface Outcome {
  cause: Cause;
  detected: boolean;
  named: Change['kind'] | 'none' | undefined;
  attribution?: Attribution;
}

const runs = 120;

export function incident(cause: Cause, seed: number): Outcome {
  const chance = chanceFor(`incident ${cause} ${seed}`);
  const at = 60 + Math.floor(chance.uniform() * 30);
  const family = ['normal', 'weekly', 'steady', 'share', 'heavy', 'dispersed'][seed % 6] ?? 'normal';
  const size = (2.5 + chance.uniform()) * (seed % 2 === 0 ? 1 : -1);
  const metric = series(family, `incident ${cause} ${seed}`, runs, { at, size, form: 'shift' });
  const flag = detect({ id: `${cause} ${seed}`, period: 7, ...metric }).find(({ index }) => index >= at);
  if (flag?.cp === undefined) return { cause, detected: false, named: undefined };

  // What comes later is not known when it is found.
  const facts = history(cause, at, chance).slice(0, flag.index + 1);
  const changes: Change[] = facts.flatMap((after, i) => {
    const before = facts[i - 1];
    return before ? changesBetween(before, after, i) : [];
  });
  const inputs = incoming(cause, seed, at, flag.cp, Math.max(flag.index, flag.cp + 4));
  changes.push(...inputs);
  // Half of the jobs have frozen examples; they are replayed at the finding.
  const ours = cause === 'code' || cause === 'package' || cause === 'model';
  const replay: Replay = seed % 2 === 0 ? 'unknown' : ours ? 'moved' : 'still';
  const attribution = attribute({ change: flag.cp, changes, replay, inputs: inputs.length > 0 ? 'moved' : 'still' });
  return { cause, detected: true, named: attribution.candidates[0]?.change?.kind ?? 'none', attribution };
}

/** What each run was made of: the cause at its run, and one unrelated change in about 30 runs. */
function history(cause: Cause, at: number, chance: ReturnType<typeof chanceFor>): RunFacts[] {
  const state = { bundle: 1, lock: 1, model: 1, secret: 1, cron: 7, numpy: 1 };
  const bump: Record<string, () => void> = {
    code: () => state.bundle++,
    package: () => {
      state.lock++;
      state.bundle++;
      state.numpy++;
    },
    model: () => state.model++,
    secret: () => state.secret++,
    schedule: () => state.cron++,
  };
  const kinds = Object.keys(bump);
  return Array.from({ length: runs }, (_, i) => {
    if (i === at) bump[cause]?.();
    else if (chance.uniform() < 1 / 30) bump[kinds[Math.floor(chance.uniform() * kinds.length)] ?? '']?.();
    return {
      versions: {
        bundle: `bundle ${state.bundle}`,
        commit: `commit ${state.bundle}`.replace(/\d+$/, String(state.bundle - state.lock)),
        lock: `lock ${state.lock}`,
        image: 'image',
        python: '3.12.4',
        secrets: { 'crm-api-key': String(state.secret) },
      },
      packages: { numpy: `2.${state.numpy}.0`, requests: '2.32.0' },
      model: `scorer-${state.model}`,
      schedule: `0 ${state.cron} * * 1-5`,
    };
  });
}

/** What the metrics of the input show at the change that was found, at the fifth run since or at the finding. */
function incoming(cause: Cause, seed: number, at: number, cp: number, until: number): Change[] {
  const moved = (kind: string) => (cause === kind ? { at, size: 3, form: 'shift' as const } : undefined);
  const found = (kind: Change['kind'], family: string, text: string): Change[] => {
    const input = series(family, `input ${kind} ${cause} ${seed}`, runs, moved(kind));
    const readings = input.values.slice(0, until + 1).map((value, step) => ({ step, value: value ?? 0 }));
    return movedAt(readings, cp, { kind: input.hint, period: 7 }) ? [{ kind, at: cp, text }] : [];
  };
  return [
    ...found('input-volume', 'steady', 'the number of incoming rows changed'),
    ...found('input-profile', 'share', 'the incoming rows changed'),
  ];
}
