import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { answer, snooze } from '../../shared/actions/drift.ts';
import { findingJson } from '../../shared/api/routes/findings.ts';
import type { Answer, Finding } from '../../shared/drift/finding.ts';
import { day, hour, iso } from '../../shared/instant.ts';
import { findingPicture } from '../../shared/pipeline/finding-picture.ts';
import { visible } from '../../shared/text.ts';
import type { Home } from '../home.ts';
import { jobNames, knownJob, openParts, type Session } from '../host/session.ts';
import { printJson } from '../json.ts';
import { Refusal } from '../refusal.ts';
import { printReplay, printReplays } from '../replay/last.ts';
import { type ActOptions, person } from './act.ts';

export interface DriftOptions extends ActOptions {
  all?: boolean;
  finding?: string;
  answer?: Answer;
  snooze?: string;
  svg?: string;
}

/** `lamp drift`: the findings of a job, or of all; and the owner's answer to one. */
export async function drift(home: Home, name: string | undefined, options: DriftOptions): Promise<void> {
  const session = await openParts(home);
  const names = name === undefined ? await jobNames(session) : [await knownJob(session, name)];
  if (options.answer !== undefined || options.snooze !== undefined) {
    const finding = await oneFinding(session, name, options.finding);
    return show(session, [await say(session, finding, home, options)], options);
  }
  const found: Finding[] = [];
  for (const job of names) found.push(...(await session.store.drift.findings(job, 20)));
  const wanted = found
    .filter(({ state, id }) => options.all || id === options.finding || state === 'open' || state === 'real')
    .sort((a, b) => b.found - a.found);
  await show(session, wanted, options);
  if (name !== undefined && !options.json) await printReplays(session, name, 1);
}

async function say(session: Session, finding: Finding, home: Home, options: DriftOptions): Promise<Finding> {
  const now = Date.now();
  const asked = person(home, options);
  if (options.answer !== undefined) return answer(session, finding, options.answer, asked, now);
  return snooze(session, finding, now + readSpan(options.snooze ?? ''), asked, now);
}

async function oneFinding({ store }: Session, job: string | undefined, id: string | undefined): Promise<Finding> {
  if (job === undefined)
    throw new Refusal('Which job? An answer needs one: lamp drift <job> --answer expected --why …');
  const findings = await store.drift.findings(job, 50);
  const open = findings.filter((one) => (id === undefined ? one.state === 'open' : one.id === id));
  const [first, second] = open;
  if (!first)
    throw new Refusal(
      `${job} has no ${id === undefined ? 'open finding' : `finding ${id}`}. List them: lamp drift ${job} --all`,
    );
  if (second) throw new Refusal(`${job} has ${open.length} open findings. Name one: --finding ${first.id}`);
  return first;
}

async function show(session: Session, findings: readonly Finding[], options: DriftOptions): Promise<void> {
  if (options.svg !== undefined) await draw(session, findings, options.svg);
  if (options.json) return printJson(findings.map(findingJson));
  if (findings.length === 0) console.log('No drift: every metric is inside its usual range, or still learning.');
  for (const finding of findings) {
    console.log(`${finding.job}  ${finding.id}  ${finding.state}  since ${iso(finding.since)}`);
    console.log(`  ${visible(finding.sentence)}`);
    for (const { change, weight } of finding.attribution?.candidates.slice(0, 4) ?? []) {
      console.log(
        `  ${String(Math.round(weight * 100)).padStart(3)} %  ${visible(change?.text ?? 'nothing that is recorded')}`,
      );
    }
    if (finding.replay) printReplay(finding.replay);
    if (finding.answered) console.log(`  ${visible(`${finding.answered.by}: ${finding.answered.why}`)}`);
  }
}

async function draw(session: Session, findings: readonly Finding[], folder: string): Promise<void> {
  await mkdir(folder, { recursive: true });
  for (const finding of findings) {
    const svg = await findingPicture(session, finding);
    if (svg !== undefined) await writeFile(join(folder, `${finding.job}-${finding.id}.svg`), svg);
  }
}

function readSpan(text: string): number {
  const span = /^(\d{1,4})([hd])$/.exec(text);
  if (!span) throw new Refusal(`--snooze "${text}" is no span: write 12h or 7d`);
  return Number(span[1]) * (span[2] === 'h' ? hour : day);
}
