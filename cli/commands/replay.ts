import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { z } from 'zod';
import { leavesOf } from '../../shared/drift/canonical.ts';
import { judgeReplay, type Noise, noiseOf, type Outputs, type Verdict } from '../../shared/drift/golden.ts';
import type { Job } from '../../shared/job/job.ts';
import { visible } from '../../shared/text.ts';
import type { Home } from '../home.ts';
import { readManifests } from '../host/folder.ts';
import { printJson } from '../json.ts';
import { Refusal } from '../refusal.ts';
import { acceptedOf, exampleNames, replayExample } from '../replay/example.ts';

const noiseFile = z.object({
  replays: z.number(),
  share: z.number().min(0).max(1),
  volatile: z.record(z.string(), z.array(z.string())),
});

export interface ReplayOptions {
  accept?: boolean;
  last?: boolean;
  repeat: number;
  json?: boolean;
}

/** `lamp replay`: whether the job still answers its frozen examples as accepted. @returns the exit code: 1 when not */
export async function replay(home: Home, name: string, options: ReplayOptions): Promise<number> {
  const { catalog } = await readManifests(home.jobs);
  const job = catalog.get(name)?.job;
  if (!job) throw new Refusal(`There is no job "${name}" that can be read. See them all: lamp check`);
  const names = await exampleNames(job);
  if (names.length === 0) {
    throw new Refusal(`${name} has no frozen example. Put the files of one into jobs/${name}/golden/<example>/input`);
  }
  if (job.outputs.length === 0)
    throw new Refusal(`${name} declares no outputs to compare. Name them under outputs: in job.yaml`);
  if (options.accept) {
    await accept(job, names, options.repeat);
    return 0;
  }
  const { accepted, now, problems } = await compareWith(job, names);
  const verdict = judgeReplay(accepted, now, await noiseAt(job));
  if (options.json) printJson({ job: name, ...verdict, problems });
  else print(name, verdict, problems);
  return verdict.state === 'moved' ? 1 : 0;
}

/** Replays each example some times, keeps the first answers as the accepted ones, and how much they differ by themselves. */
export async function accept(job: Job, names: readonly string[], repeat: number): Promise<Noise> {
  const replays = new Map<string, Outputs[]>();
  const first = new Map<string, Map<string, string>>();
  for (const example of names) {
    for (let i = 0; i < repeat; i++) {
      const left = await replayExample(job, example);
      if ('problem' in left) throw new Refusal(`${example}: ${left.problem}. Nothing was accepted: fix this first`);
      if (i === 0) first.set(example, left.files);
      replays.set(example, [...(replays.get(example) ?? []), apart(left.files)]);
    }
  }
  const noise = noiseOf(replays);
  for (const [example, files] of first) {
    for (const [path, content] of files) await put(join(job.folder, 'golden', example, 'accepted', path), content);
  }
  await put(join(job.folder, 'golden', 'noise.json'), `${JSON.stringify(noise, null, 2)}\n`);
  const differ = `${Math.round(noise.share * 100)} % differ by themselves`;
  console.log(`${names.length} examples of ${job.name} accepted after ${repeat} replays; ${differ}.`);
  return noise;
}

/** What was accepted, and what the job answers now. An example without accepted answers is not compared. */
export async function compareWith(job: Job, names: readonly string[]) {
  const accepted = new Map<string, Outputs>();
  const now = new Map<string, Outputs>();
  const problems: Record<string, string> = {};
  for (const example of names) {
    const files = await acceptedOf(job, example);
    if (files.size === 0) {
      problems[example] = 'has no accepted answer yet: lamp replay --accept';
      continue;
    }
    accepted.set(example, apart(files));
    const left = await replayExample(job, example);
    if ('problem' in left) problems[example] = left.problem;
    else now.set(example, apart(left.files));
  }
  return { accepted, now, problems };
}

async function noiseAt(job: Job): Promise<Noise> {
  const text = await readFile(join(job.folder, 'golden', 'noise.json'), 'utf8').catch(() => undefined);
  if (text === undefined) return { replays: 0, share: 0, volatile: {} };
  try {
    return noiseFile.parse(JSON.parse(text));
  } catch (error) {
    const why = (error as Error).message.split('\n')[0];
    throw new Refusal(
      `golden/noise.json of ${job.name} cannot be read (${why}). Write it anew: lamp replay ${job.name} --accept`,
    );
  }
}

function apart(files: ReadonlyMap<string, string>): Outputs {
  return new Map([...files].map(([path, content]) => [path, leavesOf(path, content)]));
}

async function put(path: string, content: string): Promise<void> {
  await mkdir(dirname(path), { recursive: true });
  await writeFile(path, content);
}

function print(name: string, { state, changed, of, alarmAt, worst }: Verdict, problems: Record<string, string>): void {
  const said = {
    still: 'answers as accepted',
    moved: 'answers otherwise than accepted: the code, a package or the model changed, not the data',
    unknown: 'has nothing to compare with',
  };
  console.log(`${name} ${said[state]} (${changed} of ${of} examples changed; ${alarmAt} would be no chance).`);
  for (const { example, file, path, was, is } of worst) {
    console.log(`  ${visible(`${example} ${file} ${path}: ${was} → ${is}`).slice(0, 300)}`);
  }
  for (const [example, problem] of Object.entries(problems)) console.log(`  ${visible(`${example}: ${problem}`)}`);
}
