import { execFile } from 'node:child_process';
import { promisify } from 'node:util';

/** The shim's syntax and standard library need this. */
const oldest = [3, 10] as const;

/**
 * The interpreter that a name stands for. Version managers put a stand-in on PATH that costs 100 ms at each start, so it
 * is resolved once. @throws Error saying which names were tried and what to do
 */
export async function findPython(names: string[] = candidates()): Promise<string> {
  const tried: string[] = [];
  for (const name of names) {
    try {
      const print = 'import sys; print(sys.executable, *sys.version_info[:2], sep="\\n")';
      const { stdout } = await promisify(execFile)(name, ['-c', print]);
      const [path = '', major = '0', minor = '0'] = stdout.split('\n');
      if (Number(major) === oldest[0] && Number(minor) >= oldest[1]) return path;
      tried.push(`${name} is ${major}.${minor}`);
    } catch (error) {
      tried.push(`${name}: ${(error as NodeJS.ErrnoException).code === 'ENOENT' ? 'not found' : 'does not run'}`);
    }
  }
  throw new Error(
    `Python ${oldest.join('.')} or newer is needed to run jobs (${tried.join(', ')}). ` +
      'Install it, or set LAMPLIGHTER_PYTHON to an interpreter.',
  );
}

function candidates(): string[] {
  const chosen = process.env.LAMPLIGHTER_PYTHON;
  return chosen ? [chosen] : ['python3', 'python'];
}
