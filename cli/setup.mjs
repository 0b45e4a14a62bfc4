// Runs before `npm start` and `npm test` on whatever Node is there (20 or newer): makes the checkout ready, and says
// what it does. Ready already: it looks at a few times and is gone. With --to-run it leaves out the packages of test/,
// which are half of all and only needed to check and test.
import { execFileSync, spawnSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync, rmSync, statSync, utimesSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('..', import.meta.url));

if (Number(process.versions.node.split('.')[0]) < 20) fail(`Node 20 or newer is needed; this is ${process.version}.`);

const modules = join(root, 'node_modules');
const wanted = join(root, 'package-lock.json');
const installed = join(modules, '.package-lock.json');
const hasAll = existsSync(join(modules, 'typescript'));
// What is there already is kept: to start must not take from the one who tests.
const all = hasAll || !process.argv.includes('--to-run');
if ((changed(installed) < changed(wanted) || all !== hasAll) && !isInstalled()) {
  needPython();
  const these = all ? [] : ['--workspace=cli', '--include-workspace-root'];
  step('Installing packages (npm ci), once …', 'npm', ['ci', ...these, '--no-fund', '--no-audit', '--loglevel=error']);
  removeHeaders();
}
if (changed(join(root, 'dist', 'lamp.js')) < newest('cli', 'shared', 'package-lock.json')) {
  step('Building (npm run build) …', 'npm', ['run', '--silent', 'build']);
}

function needPython() {
  const code = 'import sys; sys.exit(sys.version_info < (3, 10))';
  const names = process.env.LAMPLIGHTER_PYTHON ? [process.env.LAMPLIGHTER_PYTHON] : ['python3', 'python'];
  const found = names.some((name) => spawnSync(name, ['-c', code], { stdio: 'ignore' }).status === 0);
  if (!found)
    fail('Python 3.10 or newer is needed to run jobs. Install it, or set LAMPLIGHTER_PYTHON to an interpreter.');
}

/** A checkout that only touched the file needs no packages anew, and what runs keeps its own. */
function isInstalled() {
  if (!existsSync(installed)) return false;
  const [want, have] = [wanted, installed].map((path) => JSON.parse(readFileSync(path, 'utf8')).packages);
  const needed = (path, { dev, optional }) =>
    /(^|\/)node_modules\//.test(path) && !optional && (all || !dev || path === 'node_modules/node');
  const same = Object.entries(want).every(
    ([path, entry]) => !needed(path, entry) || have[path]?.version === entry.version,
  );
  if (same) utimesSync(installed, new Date(), new Date());
  return same;
}

/** Of the pinned Node: 67 MB that only packages written in C need, and there is none. */
function removeHeaders() {
  const builds = join(modules, 'node', 'node_modules');
  const found = existsSync(builds) ? readdirSync(builds).filter((name) => name.startsWith('node-')) : [];
  for (const build of found) rmSync(join(builds, build, 'include'), { recursive: true, force: true });
}

function step(what, command, args) {
  console.log(what);
  const began = Date.now();
  try {
    execFileSync(command, args, { cwd: root, stdio: 'inherit', shell: process.platform === 'win32' });
  } catch {
    fail(`"${command} ${args.join(' ')}" failed; the reason is above. Fix it and run this again.`);
  }
  console.log(`  done in ${((Date.now() - began) / 1_000).toFixed(0)} s`);
}

/** When a file last changed, ms; 0 when it is not there. */
function changed(path) {
  return existsSync(path) ? statSync(path).mtimeMs : 0;
}

function newest(...paths) {
  return Math.max(
    ...paths.map((path) => {
      const full = join(root, path);
      if (!statSync(full).isDirectory()) return changed(full);
      return Math.max(...readdirSync(full, { recursive: true }).map((file) => changed(join(full, file))));
    }),
  );
}

function fail(message) {
  console.error(message);
  process.exit(1);
}
