import { parseArgs } from 'node:util';

/** What `--only` chooses from. */
export const groups = [
  'crash',
  'restart',
  'hold',
  'start',
  'nudges',
  'clock',
  'storage',
  'messages',
  'disk',
  'kill',
  'platform',
  'poison',
  'rolling',
] as const;
export type Group = (typeof groups)[number];

export interface Options {
  minutes: number;
  /** Slots of this many minutes before the start count as well: the service was down until then. */
  lookback: number;
  jobs: number;
  hosts: number;
  /** Attempts at once on all hosts together; undefined: each host sees to its own eight. */
  limit: number | undefined;
  seed: number;
  /** Seconds between two faults, about. */
  every: number;
  /** How long what is left at the end is waited for, s. */
  patience: number;
  executor: 'process' | 'docker';
  /** Without a service between, nothing of it can fail but its disk. */
  store: 'embedded' | 'azurite';
  only: ReadonlySet<Group>;
  keep: boolean;
}

export function readOptions(): Options {
  const { values } = parseArgs({
    options: {
      minutes: { type: 'string', default: '30' },
      lookback: { type: 'string', default: '0' },
      jobs: { type: 'string' },
      hosts: { type: 'string', default: '2' },
      limit: { type: 'string' },
      every: { type: 'string', default: '8' },
      patience: { type: 'string', default: '900' },
      executor: { type: 'string', default: 'process' },
      store: { type: 'string', default: 'azurite' },
      seed: { type: 'string', default: String(Date.now() % 1_000_000) },
      only: { type: 'string' },
      keep: { type: 'boolean', default: false },
    },
  });
  const only = new Set((values.only ?? groups.join(',')).split(',') as Group[]);
  for (const one of only) {
    if (!groups.includes(one)) throw new Error(`--only ${one}: expected some of ${groups.join(',')}`);
  }
  const docker = values.executor === 'docker';
  return {
    minutes: number('minutes', values.minutes),
    lookback: number('lookback', values.lookback),
    jobs: number('jobs', values.jobs ?? (docker ? '6' : '80')),
    hosts: number('hosts', values.hosts),
    limit: values.limit === undefined ? undefined : number('limit', values.limit),
    seed: number('seed', values.seed),
    every: number('every', values.every),
    patience: number('patience', values.patience),
    // Containers leave what they leave in a folder.
    store: docker || values.store === 'embedded' ? 'embedded' : 'azurite',
    executor: docker ? 'docker' : 'process',
    only,
    keep: values.keep,
  };
}

function number(name: string, text: string): number {
  const found = Number(text);
  if (text.trim() === '' || !(found >= 0)) throw new Error(`--${name} ${text}: expected a number`);
  return found;
}

/** What repeats this run. */
export function commandOf({
  minutes,
  lookback,
  jobs,
  hosts,
  limit,
  seed,
  every,
  patience,
  executor,
  store,
  only,
}: Options): string {
  const parts = [`--seed ${seed} --minutes ${minutes} --jobs ${jobs} --hosts ${hosts}`];
  if (lookback > 0) parts.push(`--lookback ${lookback}`);
  if (limit !== undefined) parts.push(`--limit ${limit}`);
  if (every !== 8) parts.push(`--every ${every}`);
  if (patience !== 900) parts.push(`--patience ${patience}`);
  if (store !== 'azurite') parts.push(`--store ${store}`);
  if (executor !== 'process') parts.push(`--executor ${executor}`);
  if (only.size < groups.length) parts.push(`--only ${[...only].join(',')}`);
  return `npm run faults -- ${parts.join(' ')}`;
}
