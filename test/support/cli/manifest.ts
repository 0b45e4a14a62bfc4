import { readManifest } from '../../../shared/manifest/reading.ts';

/** The manifest of the reference: valid in every line. */
export const sample = `# yaml-language-server: $schema=../../infra/job.schema.json
description: Scores yesterday's prospects and writes the outbound list.
owner: { email: dana@contoso.com, department: Sales, successor: lee@contoso.com }
tier: critical
data: internal
builtWith: { tool: Claude Code, version: "2.1" }
status: production
schedule: { cron: "0 7 * * 1-5", timeZone: Europe/London, catchUp: latest, mustStartWithin: 10m, mustFinishBy: "07:45" }
run: { command: [python, score_prospects.py], timeout: 15m, overlap: forbid, cpu: 0.5, memory: 1Gi }
env: { CRM_URL: https://crm.contoso.com, LIMIT: 50 }
secrets: { CRM_API_KEY: crm-api-key }
retry: { attempts: 3, backoff: exponential, delay: 30s, maxDelay: 10m }
inputs: [pull-prospects/prospects.csv]
outputs: [outbound.csv]
metrics:
  rows_scored: { min: 1 }
  mean_score: { drift: normal }
alerts: { teams: sales-ops, email: [sales-ops@contoso.com] }
`;

export const read = (text: string | Uint8Array) =>
  readManifest(typeof text === 'string' ? Buffer.from(text) : text, 'job.yaml');
export const codes = (text: string | Uint8Array) => read(text).problems.map(({ code }) => code);
