// Lint, format and types of our own Python (ruff.toml, mypy.ini), where the tools are: a user's machine needs neither.
import { spawnSync } from 'node:child_process';

const checks = [
  ['ruff', 'check', '--quiet'],
  ['ruff', 'format', '--check', '--quiet'],
  ['mypy', '--no-error-summary'],
];
const missing = new Set();
for (const [tool, ...args] of checks) {
  const { status, error } = spawnSync(tool, args, { stdio: 'inherit' });
  if (error?.code === 'ENOENT') missing.add(tool);
  else if (status !== 0) process.exitCode = 1;
}
if (missing.size > 0) {
  console.error(`Python not checked: ${[...missing].join(' and ')} missing. To check it: pip install ruff mypy`);
  if (process.env.CI) process.exitCode = 1;
}
