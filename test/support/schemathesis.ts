import { execFile } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';

const run = promisify(execFile);

/**
 * A property-based client of OpenAPI documents, from the Python index: LAMPLIGHTER_SCHEMATHESIS, or the one on the PATH.
 * In CI a missing one is an error; elsewhere the test is skipped, and this says so.
 */
export async function findSchemathesis(): Promise<string | undefined> {
  const program = process.env.LAMPLIGHTER_SCHEMATHESIS ?? 'schemathesis';
  const home = await mkdtemp(join(tmpdir(), 'lamp-st-'));
  try {
    await run(program, ['--version'], { cwd: home });
    return program;
  } catch (error) {
    if (process.env.CI) throw new Error(`schemathesis is missing: .ci/run installs it (${(error as Error).message})`);
    console.warn('not tested: the API against its own OpenAPI document (pip install schemathesis)');
    return undefined;
  } finally {
    await rm(home, { recursive: true, force: true });
  }
}
