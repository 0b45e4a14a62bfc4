import { z } from 'zod';
import { retentionDays } from '../shared/upkeep/upkeep.ts';

/** Every setting that the function app reads, with what it is for. `infra/` sets them, `docs/deploy.md` explains them. */
const fields = {
  LAMPLIGHTER_STORAGE: z
    .string()
    .optional()
    .describe('Connection string of the data account; only on a developer’s machine, instead of the three addresses'),
  LAMPLIGHTER_STORAGE__blobServiceUri: z.url().optional().describe('Blobs of the data account'),
  LAMPLIGHTER_STORAGE__queueServiceUri: z.url().optional().describe('Queues of the data account'),
  LAMPLIGHTER_STORAGE__tableServiceUri: z.url().optional().describe('Tables of the data account'),
  AZURE_CLIENT_ID: z
    .string()
    .optional()
    .describe('Client id of the app’s identity; under `func start` left out: the one that az knows is asked'),
  LAMPLIGHTER_KEY_VAULT_URL: z.url().describe('The vault that holds the jobs’ secrets: https://….vault.azure.net'),
  LAMPLIGHTER_SUBSCRIPTION_ID: z.guid().describe('Subscription of the Container Apps Jobs'),
  LAMPLIGHTER_RESOURCE_GROUP: z.string().min(1).describe('Resource group of the Container Apps Jobs'),
  LAMPLIGHTER_MANAGEMENT_URL: z
    .url()
    .default('https://management.azure.com')
    .describe('Azure’s management; sovereign clouds have their own'),
  LAMPLIGHTER_JOB_PREFIX: z
    .string()
    .regex(/^[a-z][a-z0-9]{0,7}$/, 'expected a lower-case letter, then at most 7 letters and digits')
    .describe('What the names of the Container Apps Jobs begin with'),
  LAMPLIGHTER_IMAGE: z
    .string()
    .regex(/@sha256:[0-9a-f]{64}$/, 'expected an image by its digest: registry/name@sha256:…')
    .describe('The image that jobs run in'),
  LAMPLIGHTER_MAX_RUNNING: z.coerce.number().int().min(1).max(5_000).default(50).describe('Attempts at once'),
  LAMPLIGHTER_RETENTION_DAYS: z.coerce
    .number()
    .int()
    .min(retentionDays.least, `expected at least ${retentionDays.least}: what the law asks of high-risk systems`)
    .default(retentionDays.usual)
    .describe('How long history is kept'),
  LAMPLIGHTER_APP_URL: z.url().describe('Address of this app, where a shim says that it has ended'),
  LAMPLIGHTER_AUTH_TENANT: z.guid().optional().describe('Directory whose people may call the API; without it no one'),
  LAMPLIGHTER_AUTH_CLIENT: z.guid().optional().describe('App registration that their tokens are for'),
  LAMPLIGHTER_AUTH_CALLERS: z
    .string()
    .optional()
    .describe('Client ids that tokens may be asked for with, separated by commas; empty: any'),
  APPLICATIONINSIGHTS_CONNECTION_STRING: z.string().optional().describe('Where telemetry goes; without it nowhere'),
  APPLICATIONINSIGHTS_AUTHENTICATION_STRING: z
    .string()
    .optional()
    .describe('`ClientId=…;Authorization=AAD`: telemetry is sent as this identity'),
  /** Set by the platform. */
  WEBSITE_AUTH_ENABLED: z.string().optional().describe('`True` when Entra authentication stands in front of the app'),
  AZURE_FUNCTIONS_ENVIRONMENT: z.string().optional().describe('`Development` under `func start`'),
};

const schema = z.object(fields);
type Raw = z.infer<typeof schema>;

/** Names that infra/ must set, or the platform sets. */
export const settingNames = Object.keys(fields) as (keyof Raw)[];

export type StorageSetting = { connection: string } | { blobs: string; queues: string; tables: string };

export interface Settings extends Omit<Raw, `LAMPLIGHTER_STORAGE${string}`> {
  storage: StorageSetting;
}

/** Everything that is wrong with the settings, at once. */
export class BadSettings extends Error {
  constructor(problems: string[]) {
    super(`The settings of the function app cannot be used:\n${problems.map((one) => `  ${one}`).join('\n')}`);
    this.name = 'BadSettings';
  }
}

/** Reads the settings from the environment. An empty one is one that is not set. @throws BadSettings */
export function readSettings(environment: NodeJS.ProcessEnv): Settings {
  const given = Object.fromEntries(settingNames.map((name) => [name, environment[name] || undefined]));
  const read = schema.safeParse(given);
  const problems = read.success ? [] : read.error.issues.map((issue) => problemText(issue, given));
  const storage = storageFrom(given);
  if (typeof storage === 'string') problems.push(storage);
  if (!read.success || typeof storage === 'string') throw new BadSettings(problems);
  const {
    LAMPLIGHTER_STORAGE: _connection,
    LAMPLIGHTER_STORAGE__blobServiceUri: _blobs,
    LAMPLIGHTER_STORAGE__queueServiceUri: _queues,
    LAMPLIGHTER_STORAGE__tableServiceUri: _tables,
    ...settings
  } = read.data;
  return { ...settings, storage };
}

function problemText({ path, message }: z.core.$ZodIssue, given: Record<string, string | undefined>): string {
  const name = String(path[0]);
  const value = given[name];
  const purpose = fields[name as keyof typeof fields].description;
  return value === undefined ? `${name} is not set. ${purpose}` : `${name} is ${JSON.stringify(value)}: ${message}`;
}

function storageFrom(given: Record<string, string | undefined>): StorageSetting | string {
  const {
    LAMPLIGHTER_STORAGE: connection,
    LAMPLIGHTER_STORAGE__blobServiceUri: blobs,
    LAMPLIGHTER_STORAGE__queueServiceUri: queues,
    LAMPLIGHTER_STORAGE__tableServiceUri: tables,
  } = given;
  if (connection) return { connection };
  if (blobs && queues && tables) return { blobs, queues, tables };
  return 'LAMPLIGHTER_STORAGE__blobServiceUri, __queueServiceUri and __tableServiceUri must all be set: the data account';
}
