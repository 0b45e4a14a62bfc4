import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Answer } from '../../shared/drift/finding.ts';
import { day, hour, iso } from '../../shared/instant.ts';
import { visible } from '../../shared/text.ts';
import { ApiRefusal, type Client } from '../client.ts';
import { jobPath, knownJob, query } from '../find.ts';
import type { Here } from '../here.ts';
import { printJson } from '../json.ts';
import { Refusal } from '../refusal.ts';
import { printReplay, printReplays } from '../replay/last.ts';
import { type FindingJson, findingShape, listOf } from '../shapes.ts';
import type { ActOptions } from './act.ts';

export interface DriftOptions extends ActOptions {
  all?: boolean;
  finding?: string;
  answer?: Answer;
  snooze?: string;
  svg?: string;
}

/** `lamp drift`: the findings of a job, or of all; and the owner's answer to one. */
export async function drift(here: Here, name: string | undefined, options: DriftOptions): Promise<void> {
  if (options.answer !== undefined || options.snooze !== undefined) return answer(here, name, options);
  const client = await here.connect();
  const found =
    name === undefined
      ? (
          await client.get(
            `/findings${query({ all: String(options.all ?? options.finding !== undefined) })}`,
            listOf(findingShape),
          )
        ).items
      : await ofJob(client, await knownJob(client, name), 20);
  const wanted = found.filter(
    ({ state, id }) => options.all || id === options.finding || state === 'open' || state === 'real',
  );
  await show(client, wanted, options);
  if (name !== undefined && !options.json) await printReplays(client, name, 1);
}

async function ofJob(client: Client, job: string, limit: number): Promise<FindingJson[]> {
  return (await client.get(jobPath(job, `/findings${query({ limit })}`), listOf(findingShape))).items;
}

async function answer(here: Here, name: string | undefined, options: DriftOptions): Promise<void> {
  if (name === undefined)
    throw new Refusal('Which job? An answer needs one: lamp drift <job> --answer expected --why …');
  const until = options.answer === undefined ? iso(here.now() + readSpan(options.snooze ?? '')) : undefined;
  const client = await here.connect(options.by);
  const job = await knownJob(client, name);
  const { id } = await oneFinding(client, job, options.finding);
  const { why } = options;
  const path = jobPath(job, `/findings/${id}/${until === undefined ? 'answer' : 'snooze'}`);
  const order = until === undefined ? { answer: options.answer, why } : { until, why };
  await show(client, [await client.post(path, order, findingShape)], options);
}

async function oneFinding(client: Client, job: string, id: string | undefined): Promise<FindingJson> {
  const open = (await ofJob(client, job, 50)).filter((one) =>
    id === undefined ? one.state === 'open' : one.id === id,
  );
  const [first, second] = open;
  if (!first)
    throw new Refusal(
      `${job} has no ${id === undefined ? 'open finding' : `finding ${id}`}. List them: lamp drift ${job} --all`,
    );
  if (second) throw new Refusal(`${job} has ${open.length} open findings. Name one: --finding ${first.id}`);
  return first;
}

async function show(client: Client, findings: readonly FindingJson[], options: DriftOptions): Promise<void> {
  if (options.svg !== undefined) await draw(client, findings, options.svg);
  if (options.json) return printJson(findings);
  if (findings.length === 0) console.log('No drift: every metric is inside its usual range, or still learning.');
  for (const finding of findings) {
    console.log(`${finding.job}  ${finding.id}  ${finding.state}  since ${finding.since}`);
    console.log(`  ${visible(finding.sentence)}`);
    for (const { text, weight } of finding.causes.slice(0, 4)) {
      console.log(
        `  ${String(Math.round(weight * 100)).padStart(3)} %  ${visible(text ?? 'nothing that is recorded')}`,
      );
    }
    if (finding.replay) printReplay(finding.replay);
    if (finding.answered) console.log(`  ${visible(`${finding.answered.by}: ${finding.answered.why}`)}`);
  }
}

async function draw(client: Client, findings: readonly FindingJson[], folder: string): Promise<void> {
  await mkdir(folder, { recursive: true });
  for (const { job, id } of findings) {
    const svg = await client.text(jobPath(job, `/findings/${id}/picture.svg`)).catch((error) => {
      // Of a finding that is nothing to draw, such as a metric that is missing.
      if (!(error instanceof ApiRefusal) || error.code !== 'no-such-finding') throw error;
    });
    if (svg !== undefined) await writeFile(join(folder, `${job}-${id}.svg`), svg);
  }
}

function readSpan(text: string): number {
  const span = /^(\d{1,4})([hd])$/.exec(text);
  if (!span) throw new Refusal(`--snooze "${text}" is no span: write 12h or 7d`);
  return Number(span[1]) * (span[2] === 'h' ? hour : day);
}
