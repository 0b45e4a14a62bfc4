/** How each command is used, for its --help. */
const examples: Record<string, string[]> = {
  start: [
    'lamp start',
    'lamp start --port 0',
    'lamp start --executor docker      # each run in a container of its own, see lamp image',
    'lamp start --executor docker --allow-process check-crm   # this job may leave its container',
    'lamp start --join                 # a second host, at the same store',
  ],
  image: ['lamp image build --base python:3.12-slim', 'lamp image build --base our-python:3.12 --uv ~/.local/bin/uv'],
  backup: [
    'lamp backup /backup/lamp-2026-11-28.db',
    '0 3 * * * lamp --home /srv/jobs backup /backup/lamp-$(date +\\%F).db   # a line of a crontab',
  ],
  restore: ['lamp restore /backup/lamp-2026-11-28.db'],
  export: [
    'lamp export /backup/history.tar.gz',
    'lamp export one-job.tar.gz --job score-prospects --since 90d',
    'lamp export from-azure.tar.gz --account stlampproddata1a2b3c',
    'tar -tzf history.tar.gz                      # look into it',
  ],
  import: [
    'lamp import /backup/history.tar.gz --account stlampproddata1a2b3c   # into the cloud, with its past',
    'lamp import from-azure.tar.gz',
  ],
  clock: ['lamp clock', 'lamp clock --confirm --why "the date is right, the machine slept"'],
  package: ['lamp package', 'lamp package --prefix lamp'],
  check: [
    'lamp check',
    'lamp check jobs --json',
    'lamp check --azure             # sizes, names and limits of Azure as well',
    'lamp check --executor docker   # as a host judges that is started with it',
  ],
  new: ['lamp new score-prospects --owner dana@contoso.com --time-zone Europe/London'],
  jobs: ['lamp jobs', "lamp jobs --json | jq -r '.[] | select(.streak < 0) | .job'"],
  next: [
    'lamp next',
    'lamp next score-prospects -n 3',
    'lamp next --cron "30 2 * * *" --time-zone Europe/Berlin --after 2026-03-28T12:00Z -n 3',
  ],
  runs: [
    'lamp runs',
    'lamp runs score-prospects --state failed,timed-out --since 7d',
    'lamp runs --json --limit 100',
    'lamp runs score-prospects --kind replay',
  ],
  show: ['lamp show score-prospects                    # its newest run', 'lamp show score-prospects.20261120T070000Z'],
  logs: [
    'lamp logs score-prospects -f                 # its newest run, live, retries included',
    'lamp logs score-prospects.20261120T070000Z -t',
    'lamp logs score-prospects --attempt 1',
  ],
  audit: [
    'lamp audit verify',
    'lamp audit verify --from 2026-11-01 --to 2026-11-30 --json > november.json',
    'lamp audit verify --head 2026-10-31.412.<digest>   # what was kept of October',
  ],
  run: [
    'lamp run score-prospects --why "the CRM was down this morning"',
    'lamp run score-prospects --wait -- --limit 50',
  ],
  rerun: ['lamp rerun score-prospects.20261120T070000Z --wait'],
  cancel: ['lamp cancel score-prospects --why "wrong list"', 'lamp cancel --backfill score-prospects'],
  pause: ['lamp pause score-prospects --why "the CRM moves tonight"'],
  resume: ['lamp resume score-prospects', 'lamp resume score-prospects --no-catch-up'],
  incidents: ['lamp incidents', 'lamp incidents score-prospects --all', "lamp incidents --json | jq -r '.[].incident'"],
  ack: ['lamp ack score-prospects --why "I ask the CRM team"', 'lamp ack score-prospects.failed.1795158000000'],
  resolve: ['lamp resolve score-prospects --why "the list was made by hand"'],
  silence: [
    'lamp silence score-prospects --for 2h --why "the CRM moves"',
    'lamp silence --tag department:Sales --from 2026-11-21T18:00Z --until 2026-11-21T22:00Z --why "quarter end"',
    'lamp silence                                 # what is silent now',
  ],
  alerts: ['lamp alerts test', 'lamp alerts test sales-ops', 'lamp alerts preview score-prospects', 'lamp alerts sent'],
  'owner-left': ['lamp owner-left dana@contoso.com --why "left on Friday"'],
  'ping-key': ['lamp ping-key monthly-report', 'lamp ping-key monthly-report 2>/dev/null | gh secret set PING_KEY'],
  watchdog: ['lamp watchdog --after 10m', '*/5 * * * * lamp --home /srv/jobs watchdog --once   # a line of a crontab'],
  metrics: ['lamp metrics score-prospects', 'lamp metrics score-prospects mean_score --json --limit 365'],
  health: ['lamp health', 'lamp health --app prod || echo "look at it"'],
  diagnose: [
    'lamp diagnose score-prospects.20261120T070000Z',
    'lamp diagnose score-prospects --app prod --to /tmp/for-support',
  ],
  events: ['lamp events', 'lamp events score-prospects --since 30d'],
  drift: [
    'lamp drift',
    'lamp drift score-prospects --answer expected --why "new price list"',
    'lamp drift score-prospects --snooze 7d --why "the supplier looks into it"',
  ],
  baseline: [
    'lamp baseline show score-prospects',
    'lamp baseline pin score-prospects --since 2026-11-20 --why "new model, checked by hand"',
  ],
  replay: [
    'lamp replay score-prospects --accept',
    'lamp replay score-prospects',
    'lamp replay score-prospects --last',
    'lamp replay score-prospects --now --why "new model"',
  ],
  detect: ['lamp detect < series.jsonl > flags.jsonl', 'lamp detect --metrics 1 --notes < one-metric.jsonl'],
  use: ['lamp use https://func-lamplighter-abc123.azurewebsites.net --client 0000-…', 'lamp use here'],
  mcp: ['claude mcp add lamplighter -- npx lamp mcp', 'lamp mcp --app prod'],
  deploy: [
    'lamp deploy --dry-run                        # every command, nothing run',
    'lamp deploy --environment prod --location westeurope',
    'lamp deploy --environment prod --from jobs   # after a secret was set, say',
    'lamp deploy --environment prod --what-if',
    'lamp deploy --location westeurope --network private --zones jobs --builder docker   # a network of its own',
  ],
  outputs: [
    'lamp outputs',
    'lamp outputs appUrl --environment prod       # its value alone',
    "lamp outputs --json | jq -r '.jobs[].resource'",
    'lamp use $(lamp outputs appUrl) --client $(lamp outputs authClientId) --as dev',
  ],
  verify: ['lamp verify --app func-lamplighter-abc123 --resource-group rg-lamplighter-prod'],
  backfill: [
    'lamp backfill score-prospects --from 2026-11-01 --to 2026-11-14 --dry-run',
    'lamp backfill score-prospects --from 2026-11-01 --to 2026-11-14 --wait',
    'cut -d, -f1 days.csv | lamp backfill score-prospects --dates -',
  ],
};

export function exampleText(command: string): string {
  const lines = examples[command] ?? [];
  return lines.length === 0 ? '' : `\nExamples:\n${lines.map((line) => `  ${line}`).join('\n')}`;
}
