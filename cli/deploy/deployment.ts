import type { z } from 'zod';
import type { Instant } from '../../shared/instant.ts';
import { second } from '../../shared/instant.ts';
import { Refusal } from '../refusal.ts';
import { type Known, placeholders } from './az.ts';
import { type Command, commandText } from './command.ts';
import { failureText } from './failure.ts';
import type { Target } from './options.ts';
import { again, passesBecause } from './passing.ts';
import type { Answer, Run } from './run.ts';

/** One deployment under way: where to, what is known so far, and how commands are run. */
export interface Deployment {
  target: Target;
  /** Root of the repository. */
  root: string;
  /** Folder of the jobs. */
  jobs: string;
  /** Filled in by the steps; `<…>` where a step has not been yet. */
  known: Known;
  /** Whether the resource group is there, the one that has made it. */
  groupStands: boolean;
  /** False until the outputs of a foundation in Azure have been read. */
  stands: boolean;
  /** Addresses that get alerts now, lower case. */
  receivers: string[];
  /** Digest of the image of the last deployment that succeeded. */
  running: string | null;
  /** The jobs that were deployed last, each with the secrets it may read. */
  jobsThere: Map<string, string[]>;
  /** When it began: known ends of what is used are looked up by it. */
  now: Instant;
  /** Variables that win over what was deployed last. */
  environment: NodeJS.ProcessEnv;
  run: Run;
  sleep(ms: number): Promise<unknown>;
  /** Runs a command that must succeed; what passes by itself is tried again for 10 minutes, and said. @returns what it printed @throws Refusal with cause and remedy */
  must(command: Command): Promise<string>;
  json<T>(command: Command, shape: z.ZodType<T>): Promise<T>;
  /** The same for something that need not exist: then null. An outage is a failure, and not null. */
  maybe<T>(command: Command, shape: z.ZodType<T>): Promise<T | null>;
  say(line: string): void;
  /** @throws Refusal when the answer is no, or no one can be asked */
  confirm(question: string): Promise<void>;
}

/**
 * What the programs of Azure answer for something that is not there; az ends with 3 for most of it. Of a registry's answer
 * az prints the message and not the code: of an empty one "repository name not known to registry".
 */
const absent =
  /NotFound|MANIFEST_UNKNOWN|NAME_UNKNOWN|not known to registry|does not exist|doesn't exist|could not be found|is not found/i;

export function deployment(
  given: Pick<Deployment, 'target' | 'root' | 'jobs' | 'now' | 'environment' | 'run' | 'sleep' | 'say' | 'confirm'>,
): Deployment {
  async function patiently(command: Command): Promise<Answer> {
    for (let tries = 1; ; tries++) {
      const answer = await given.run(command);
      const why =
        answer.code === 0
          ? undefined
          : passesBecause(`${answer.stderr}\n${command.live === 'all' ? answer.stdout : ''}`);
      if (why === undefined || tries >= again.tries) return answer;
      given.say(`  ${why}: try ${tries + 1} of ${again.tries} in ${again.everyMs / second} s`);
      await given.sleep(again.everyMs);
    }
  }
  const must = async (command: Command) => succeeded(command, await patiently(command)).stdout;
  return {
    ...given,
    known: { ...placeholders },
    groupStands: false,
    stands: false,
    receivers: [],
    running: null,
    jobsThere: new Map(),
    must,
    json: async (command, shape) => parsed(command, await must(command), shape),
    async maybe(command, shape) {
      const answer = await given.run(command);
      if (answer.code === 3 || (answer.code !== 0 && absent.test(answer.stderr))) return null;
      return parsed(command, succeeded(command, answer).stdout, shape);
    },
  };
}

function succeeded(command: Command, answer: Answer): Answer {
  if (answer.code !== 0) throw new Refusal(failureText(command, answer));
  return answer;
}

/** What a program printed is not shown: it may hold what no one should read. */
export function parsed<T>(command: Command, text: string, shape: z.ZodType<T>): T {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    throw new Refusal(
      `${commandText(command)} printed no JSON. Is ${command.argv[0]} newer or older than docs/deploy.md says?`,
    );
  }
  const read = shape.safeParse(value);
  if (read.success) return read.data;
  const places = read.error.issues.map(({ path, message }) => `${path.join('.') || 'the whole'}: ${message}`);
  throw new Refusal(`${commandText(command)} printed something unexpected: ${places.join('; ')}`);
}
