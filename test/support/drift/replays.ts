import { createHash } from 'node:crypto';
import type { Finding } from '../../../shared/drift/finding.ts';
import { day, hour, minute } from '../../../shared/instant.ts';
import type { Deployed } from '../../../shared/job/catalog.ts';
import { goldenIn } from '../../../shared/job/golden.ts';
import { enqueue } from '../../../shared/pipeline/claim.ts';
import { register } from '../../../shared/pipeline/deployments.ts';
import { replayDaily } from '../../../shared/pipeline/replay/daily.ts';
import type { AttemptResult, AttemptSpec } from '../../../shared/run/attempt.ts';
import { newRun, runId } from '../../../shared/run/run.ts';
import { job, seven } from '../pipeline/cast.ts';
import { World } from '../pipeline/parts.ts';
import { zip } from '../shim/shim.ts';
import { series } from './families.ts';

/** A scorer of rows with one figure, whose model and data are the test's. */
export interface Scorer {
  model: (input: number) => number;
  name: string | undefined;
  data: (day: number) => number;
}

export const examples = Array.from({ length: 12 }, (_, i) => `e${i + 1}`);
export const inputOf = (example: string) => Number(example.slice(1)) / 12;
export const first = (x: number) => 0.2 + 0.5 * x;
export const second = (x: number) => 0.35 + 0.5 * x;
export const answer = (score: number) => `score\n${score.toFixed(4)}\n`;
export const noise = series('normal', 'rows-2', 400).values as number[];
const more = 'outputs: [out.csv]\nreplay: { command: [python, main.py] }\n';

function files(over: Record<string, string> = {}): Record<string, string> {
  const golden = examples.flatMap((name) => [
    [`golden/${name}/input/in.csv`, `x\n${inputOf(name)}\n`],
    [`golden/${name}/accepted/out.csv`, answer(first(inputOf(name)))],
  ]);
  return { 'main.py': 'print(1)', 'job.yaml': 'description: Scores\n', ...Object.fromEntries(golden), ...over };
}

/** A job of twelve frozen examples as deployed. @param over more files of its folder @param lines of its manifest */
export async function packed(name: string, over: Record<string, string> = {}, lines = more): Promise<Deployed> {
  const bytes = await zip(files(over));
  const bundle = createHash('sha256').update(bytes).digest('hex');
  const one = job(name, { schedule: '{ cron: "0 7 * * *", timeZone: Europe/London }', more: lines });
  return { job: one, bundle, lock: null, commit: null, golden: goldenIn(bytes), zip: async () => bytes };
}

interface Config {
  examples: string[];
  repeats: number;
}

/** What replay.py writes. */
function reportOf({ examples: names, repeats }: Config, answerTo: (name: string, repeat: number) => string): string {
  const texts: Record<string, string> = {};
  const replays = Array.from({ length: repeats }, (_, at) =>
    names.map((example) => {
      const id = `${example}-${at}`;
      texts[id] = answerTo(example, at + 1);
      return { example, repeat: at + 1, seconds: 0.1, files: { 'out.csv': id } };
    }),
  );
  return JSON.stringify({ version: 1, texts, replays: replays.flat() });
}

/** The service over a store in memory, a day at a time, with a platform that answers as the scorer does. */
export class ReplayService {
  readonly world: World;
  readonly scorer: Scorer;
  day = 0;
  answerTo: (name: string, repeat: number) => string = (name) => answer(this.scorer.model(inputOf(name)));

  private constructor(world: World, scorer: Scorer) {
    this.world = world;
    this.scorer = scorer;
    world.platform.leaves = (spec) => this.leaves(spec);
  }

  static async of(scorer: Partial<Scorer> = {}, ...jobs: Deployed[]): Promise<ReplayService> {
    const world = await World.inMemory();
    const service = new ReplayService(world, {
      model: first,
      name: 'scorer-1',
      data: (at) => 0.5 + (noise[at] ?? 0),
      ...scorer,
    });
    for (const one of jobs.length > 0 ? jobs : [await packed('score')]) await service.deploy(one);
    return service;
  }

  async deploy(deployed: Deployed): Promise<void> {
    this.world.jobs.set(deployed.job.name, deployed);
    await register(this.world.parts, this.world.catalog(), this.world.now);
    await this.world.settleDown();
  }

  private leaves(spec: AttemptSpec): { metrics?: AttemptResult['metrics']; files?: Record<string, string> } {
    const { model, name } = this.scorer;
    const reported = name === undefined ? {} : { model: { [name]: 100 } };
    if (spec.command[0] === 'lamplighter-replay') {
      const config = JSON.parse(spec.command[1] ?? '') as Config;
      return { metrics: reported, files: { 'lamplighter-replay.txt': reportOf(config, this.answerTo) } };
    }
    const x = this.scorer.data(this.day);
    return { metrics: { ...reported, input_mean: x, mean_score: model(x) } };
  }

  /** One day: its run at seven, the daily timer an hour later. */
  async oneDay(name = 'score'): Promise<void> {
    const { world } = this;
    world.now = seven + this.day * day;
    const run = newRun(name, world.now, 'schedule', world.now, { id: runId(world.now, 'schedule') });
    await enqueue(world.parts, run, world.now);
    await world.settleDown();
    world.now += hour;
    await replayDaily(world.parts, world.now);
    await this.settle();
    this.day += 1;
  }

  async days(count: number): Promise<void> {
    for (let i = 0; i < count; i++) await this.oneDay();
  }

  /** What was put off for others, or for later in the day. */
  async settle(): Promise<void> {
    await this.world.settleDown();
    this.world.now += minute;
    await this.world.settleDown();
  }

  findings(name = 'score'): Promise<Finding[]> {
    return this.world.store.drift.findings(name, 10);
  }

  replays(name = 'score') {
    return this.world.store.replays.list(name, 1_000);
  }
}
