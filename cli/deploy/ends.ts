import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { day, type Instant } from '../../shared/instant.ts';
import { defaultBase } from './options.ts';

/** What this repository uses and its maker will end, one entry each. docs/deploy.md has the same table. */
export interface End {
  /** How a person calls it. */
  name: string;
  /** The first day on which it does not work, or is not supported, any more (UTC). */
  end: `${number}-${number}-${number}`;
  source: string;
  remedy: string;
  /** Whether it is still in use. @param files below the root, path → text */
  inUse(files: ReadonlyMap<string, string>): boolean;
}

const everything = (files: ReadonlyMap<string, string>) => [...files.values()].join('\n');

export const ends: readonly End[] = [
  {
    name: 'Key Vault management versions before 2026-02-01',
    end: '2027-02-27',
    source: 'learn.microsoft.com/azure/key-vault/general/migrate-api-version',
    remedy: 'write Microsoft.KeyVault/…@2026-02-01 or newer in infra/',
    inUse: (files) =>
      [...everything(files).matchAll(/Microsoft\.KeyVault\/[\w/]+(?:@|\?api-version=)(\d{4}-\d{2}-\d{2})/g)].some(
        ([, version = '']) => version < '2026-02-01',
      ),
  },
  {
    name: 'Node.js 24',
    end: '2028-04-30',
    source: 'github.com/nodejs/Release#release-schedule',
    remedy: 'set a newer runtime.version in infra/modules/app.bicep',
    inUse: (files) => /name: 'node'\s+version: '24'/.test(files.get('infra/modules/app.bicep') ?? ''),
  },
  {
    name: 'Python 3.12',
    end: '2028-10-31',
    source: 'peps.python.org/pep-0693',
    remedy: 'give a newer base image: --base docker.io/library/python:<version>-slim',
    inUse: () => /python:3\.12\b/.test(defaultBase),
  },
];

/** From a year before it is warned. */
const noticeMs = 365 * day;

export interface Ending {
  end: End;
  /** `over`: from the day on; `soon`: less than a year before it. */
  state: 'over' | 'soon';
  text: string;
}

/** What has ended, or will within a year, of all that is still in use. @param now UTC */
export function endings(files: ReadonlyMap<string, string>, now: Instant, all: readonly End[] = ends): Ending[] {
  return all.flatMap((one): Ending[] => {
    const at = Date.parse(`${one.end}T00:00:00Z`);
    if (now < at - noticeMs || !one.inUse(files)) return [];
    const days = Math.ceil((at - now) / day);
    if (now >= at) return [{ end: one, state: 'over', text: `${one.name} ended on ${one.end} (${one.source})` }];
    return [{ end: one, state: 'soon', text: `${one.name} ends on ${one.end}, in ${days} days (${one.source})` }];
  });
}

/** What the list looks into: the templates and what verify asks of Azure. */
export function filesOf(root: string): Map<string, string> {
  const paths = globSync('infra/**/*.bicep', { cwd: root });
  return new Map(paths.map((path) => [path.replaceAll('\\', '/'), readFileSync(join(root, path), 'utf8')]));
}
