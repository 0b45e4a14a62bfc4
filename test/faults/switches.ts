import { existsSync, mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

/** `platform`, `vault`: out of service. `start-<host>`: the next start call of that host kills it. */
export type Switch = 'platform' | 'vault' | `start-${string}`;

/** What the harness sets and hosts look at: a file each. */
export class Switches {
  readonly folder: string;

  constructor(folder: string) {
    this.folder = folder;
    mkdirSync(folder, { recursive: true });
  }

  on(name: Switch): void {
    writeFileSync(join(this.folder, name), '');
  }

  off(name: Switch): void {
    rmSync(join(this.folder, name), { force: true });
  }

  isOn(name: Switch): boolean {
    return existsSync(join(this.folder, name));
  }
}
