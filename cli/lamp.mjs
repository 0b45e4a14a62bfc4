#!/usr/bin/env node
// Finds the built program and the Node that the project pins, the one that calls it and however old their own Node is.
import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { enableCompileCache } from 'node:module';
import { constants } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('..', import.meta.url));
const program = join(root, 'dist', 'lamp.js');
const pinned = join(root, 'node_modules', 'node', 'bin', process.platform === 'win32' ? 'node.exe' : 'node');

if (!existsSync(program)) {
  console.error(`lamp is not built yet. In ${root} run: npm start, or npm ci && npm run build`);
  process.exitCode = 1;
} else if (Number(process.versions.node.split('.')[0]) >= 24) {
  // Compiling takes a third of a short command's time. Where the folder cannot be written, nothing is kept.
  enableCompileCache(join(root, 'node_modules', '.cache', 'lamp'));
  await import(new URL('../dist/lamp.js', import.meta.url).href);
} else if (existsSync(pinned)) {
  handOver();
} else {
  console.error(`lamp needs Node 24 or newer and this is ${process.version}. In ${root} run: npm ci`);
  process.exitCode = 1;
}

function handOver() {
  const child = spawn(pinned, [program, ...process.argv.slice(2)], { stdio: 'inherit' });
  // The terminal sends Ctrl-C to both, others to this process alone: the program takes two at once for one (see
  // host/signals.ts), decides when to end, and this process waits for it.
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, () => child.kill(signal));
  child.once('exit', (code, signal) => process.exit(code ?? 128 + (constants.signals[signal] ?? 0)));
}
