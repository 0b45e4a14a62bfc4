import { execFileSync } from 'node:child_process';
import { mkdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';

const size = 64 * 1024 * 1024;

/** A small disk for temporary files that can be filled up. Without the right to mount, a plain folder that cannot. */
export class Disk {
  readonly folder: string;
  readonly real: boolean;

  private constructor(folder: string, real: boolean) {
    this.folder = folder;
    this.real = real;
  }

  static async mount(folder: string): Promise<Disk> {
    await mkdir(folder);
    try {
      execFileSync('mount', ['-t', 'tmpfs', '-o', `size=${size}`, 'tmpfs', folder], { stdio: 'ignore' });
      return new Disk(folder, true);
    } catch {
      console.log('no right to mount: the full disk is left out');
      return new Disk(folder, false);
    }
  }

  async fill(): Promise<void> {
    if (!this.real) return;
    await writeFile(join(this.folder, 'filler'), Buffer.alloc(size)).catch(() => {});
  }

  async empty(): Promise<void> {
    await rm(join(this.folder, 'filler'), { force: true });
  }

  async unmount(): Promise<void> {
    if (this.real) execFileSync('umount', ['-l', this.folder]);
  }
}
