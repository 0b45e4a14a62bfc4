import { setTimeout as sleep } from 'node:timers/promises';
import { styleText } from 'node:util';
import { filesOf } from '../deploy/ends.ts';
import { processRun } from '../deploy/run.ts';
import type { Home } from '../home.ts';
import { printJson } from '../json.ts';
import { type Finding, unseenHere } from '../verify/finding.ts';
import type { Patience } from '../verify/ticks.ts';
import { findings, type VerifyOptions } from '../verify/verify.ts';
import { count } from '../words.ts';

/** Two ticks are at most two minutes and their own duration away. */
const patience: Patience = { every: 5_000, patience: 150_000, clock: Date.now, sleep };

/** `lamp verify`: looks at an installation on Azure. @returns whether everything is right */
export async function verify(home: Home, options: VerifyOptions & { json?: boolean }): Promise<boolean> {
  return (await inspect(home, options)).every(isRight);
}

/** The same. @returns what was found, after it was printed */
export async function inspect(
  home: Home,
  { json, ...options }: VerifyOptions & { json?: boolean },
): Promise<Finding[]> {
  // With --json the commands go where they do not disturb.
  const say = (line: string) => (json ? console.error(line) : console.log(line));
  const here = { files: filesOf(home.root), now: Date.now() };
  const all = await findings(processRun({ root: home.root, say }), options, patience, here);
  const right = all.every(isRight);
  if (json) printJson({ right, findings: all });
  else console.log(verdict(all));
  return all;
}

export const isRight = ({ state }: Finding) => state === 'right' || state === 'note';

const marks = {
  right: styleText('green', '✔'),
  note: styleText('yellow', '!'),
  wrong: styleText('red', '✘'),
  unknown: styleText('yellow', '?'),
};

export function verdict(all: Finding[]): string {
  const lines = all.flatMap(({ check, state, text, remedy }) => {
    const [first, ...more] = text.split('\n');
    const rest = [...more, ...(remedy === null ? [] : [`→ ${remedy}`])].map((line) => `    ${line}`);
    return [`${marks[state]} ${check}: ${first}`, ...rest];
  });
  const bad = all.filter((one) => !isRight(one)).length;
  const notes = all.filter(({ state }) => state === 'note').length;
  const unseen = all.filter(({ text }) => text.startsWith(unseenHere)).length;
  const tidy = notes === 0 ? 'Everything is right.' : `Everything works; ${count(notes, 'thing')} to tidy up.`;
  const right = unseen === 0 ? tidy : `What can be seen from here works; ${count(unseen, 'thing')} not looked at.`;
  return ['', ...lines, '', bad === 0 ? right : `${count(bad, 'thing')} of ${all.length} not right.`].join('\n');
}
