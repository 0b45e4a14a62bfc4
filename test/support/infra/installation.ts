import { existsSync, globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { type Expanded, expand, type Files, readParams } from './bicep-expand.ts';

export const infra = join(import.meta.dirname, '../../../infra');
export const bicepFiles = globSync('**/*.{bicep,bicepparam}', { cwd: infra }).sort();

/** As `npm run package` writes it; two variables of the first job have one secret. */
export const sampleIndex = {
  prefix: 'lamp',
  alertSecrets: ['teams-ops'],
  jobs: [
    {
      name: 'score-prospects',
      resource: 'lamp-score-prospects',
      cpu: '0.5',
      memory: '1Gi',
      timeoutSeconds: 8100,
      secrets: [
        { variable: 'CRM_API_KEY', name: 'CRM-api-key' },
        { variable: 'CRM_KEY', name: 'crm-api-key' },
        { variable: 'MODEL_KEY', name: 'model-key' },
      ],
      tier: 'critical',
      status: 'production',
      owner: 'dana@contoso.com',
      department: 'Sales',
    },
    {
      name: 'push-outbound',
      resource: 'lamp-push-outbound',
      cpu: '0.25',
      memory: '0.5Gi',
      timeoutSeconds: 60,
      secrets: [{ variable: 'CRM_API_KEY', name: 'crm-api-key' }],
      tier: 'standard',
      status: 'production',
      owner: 'lee@contoso.com',
      department: 'Sales',
    },
    {
      name: 'check-crm',
      resource: 'lamp-check-crm',
      cpu: '4',
      memory: '8Gi',
      timeoutSeconds: 86400,
      secrets: [],
      tier: 'low-risk',
      status: 'development',
      owner: 'lee@contoso.com',
      department: 'Sales',
    },
  ],
};

export const environment = {
  LAMPLIGHTER_AUTH_CLIENT_ID: '11111111-2222-3333-4444-555555555555',
  LAMPLIGHTER_ALERT_EMAILS: 'on-call@contoso.com,it@contoso.com',
  LAMPLIGHTER_IMAGE_DIGEST: `sha256:${'a'.repeat(64)}`,
  LAMPLIGHTER_CALLERS: '["99999999-2222-3333-4444-555555555555"]',
  LAMPLIGHTER_SECRET_OFFICERS: '[{"objectId":"88888888-2222-3333-4444-555555555555","type":"Group"}]',
};

export interface Wish {
  file?: string;
  stage?: string;
  /** Over what the parameter file says. */
  params?: Record<string, unknown>;
  index?: typeof sampleIndex;
  /** Changes the source of a file, by its path within infra/; its result must differ. */
  change?: Record<string, (text: string) => string>;
}

/** What infra/ deploys for the sample jobs. */
export function install({
  file = 'prod.bicepparam',
  stage = 'all',
  params,
  index = sampleIndex,
  change = {},
}: Wish = {}): Expanded {
  const files: Files = {
    root: infra,
    instead: { 'jobs.json': JSON.stringify(index), ...changed(change) },
  };
  const given = readParams(files, file, { ...environment, LAMPLIGHTER_STAGE: stage });
  const all = expand(files, given.using ?? '', { ...given.params, ...params });
  all.problems.unshift(...given.problems);
  return all;
}

function changed(change: NonNullable<Wish['change']>): Record<string, string> {
  return Object.fromEntries(
    Object.entries(change).map(([path, edit]) => {
      const text = existsSync(join(infra, path)) ? readFileSync(join(infra, path), 'utf8') : '';
      const edited = edit(text);
      if (edited === text) throw new Error(`the change of ${path} changes nothing: the test is stale`);
      return [path, edited];
    }),
  );
}

export function said({ problems }: { problems: { at: string; text: string }[] }): string[] {
  return problems.map(({ at, text }) => `${at} ${text}`);
}
