import { mkdir, readdir, rename, rm, stat, writeFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { build } from 'esbuild';
import { english } from './english.ts';

/** Bundles the command line: one chunk a command, so that each loads only what it uses. */
const root = join(import.meta.dirname, '..');
const dist = join(root, 'dist');
const entry = 'lamp.js';
/** A host that still runs an older build may load its chunks for this long, ms. */
const keep = 24 * 3_600_000;

const { outputFiles } = await build({
  entryPoints: { lamp: join(root, 'cli', 'main.ts') },
  outdir: dist,
  write: false,
  bundle: true,
  splitting: true,
  platform: 'node',
  target: 'node24',
  format: 'esm',
  sourcemap: 'linked',
  logLevel: 'warning',
  // A program's text stays in memory as long as it runs; names are kept, as a stack must be readable.
  minifyWhitespace: true,
  minifySyntax: true,
  plugins: [english],
  // cron-parser would bring the same once more, in another form.
  alias: { luxon: join(root, 'node_modules', 'luxon', 'src', 'luxon.js') },
  // The store and the bundler are programs of their own in node_modules; the Docker client looks for parts of its own there.
  external: ['azurite', 'dockerode', 'esbuild'],
  // Some of the bundled packages are CommonJS and call require for Node's own modules.
  banner: {
    js: "import { createRequire as __createRequire } from 'node:module'; const require = __createRequire(import.meta.url);",
  },
});

await mkdir(dist, { recursive: true });
// Chunks are named by their content. The entry comes last: the one that starts meanwhile gets all of the old or the new.
outputFiles.sort((a, b) => Number(a.path.endsWith(`/${entry}`)) - Number(b.path.endsWith(`/${entry}`)));
for (const { path, contents } of outputFiles) {
  await writeFile(`${path}.${process.pid}`, contents);
  await rename(`${path}.${process.pid}`, path);
}
const fresh = new Set(outputFiles.map(({ path }) => basename(path)));
for (const name of await readdir(dist)) {
  const old = join(dist, name);
  if (!fresh.has(name) && (await stat(old)).mtimeMs < Date.now() - keep) await rm(old, { force: true });
}
