import { type ChildProcess, spawn } from 'node:child_process';
import { closeSync, openSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

interface Host {
  start: () => ChildProcess;
  process: ChildProcess;
  clock: string;
}

/** The hosts of one harness run: started, killed, held and reported a wrong time. */
export class Hosts {
  readonly #hosts = new Map<string, Host>();

  get names(): string[] {
    return [...this.#hosts.keys()];
  }

  add(name: string, home: string, connection: string, variables: NodeJS.ProcessEnv, image?: string): void {
    const clock = join(home, `clock-${name}`);
    writeFileSync(clock, '0');
    const start = () => {
      const log = openSync(join(home, `host-${name}.log`), 'a');
      const program = join(import.meta.dirname, 'host.ts');
      const env = { ...process.env, ...variables };
      const child = spawn(process.execPath, [program, home, connection, clock, ...(image ? [image] : [])], {
        stdio: ['ignore', log, log],
        env,
      });
      closeSync(log);
      return child;
    };
    this.#hosts.set(name, { start, process: start(), clock });
  }

  /** Dies at once, and is started again after a while. */
  async crash(name: string, awayMs: number): Promise<void> {
    const host = this.#get(name);
    host.process.kill('SIGKILL');
    await wait(awayMs);
    if (host.process.signalCode !== null || host.process.exitCode !== null) host.process = host.start();
  }

  /** Is held for a while and goes on, believing that no time has passed. */
  async hold(name: string, ms: number): Promise<void> {
    const { process: held } = this.#get(name);
    held.kill('SIGSTOP');
    await wait(ms);
    held.kill('SIGCONT');
  }

  async misdate(name: string, byMs: number, forMs: number): Promise<void> {
    const { clock } = this.#get(name);
    writeFileSync(clock, String(byMs));
    await wait(forMs);
    writeFileSync(clock, '0');
  }

  /** All of them run, with the right time. */
  fix(): void {
    for (const host of this.#hosts.values()) {
      writeFileSync(host.clock, '0');
      host.process.kill('SIGCONT');
      if (host.process.signalCode !== null || host.process.exitCode !== null) host.process = host.start();
    }
  }

  kill(): void {
    for (const { process: child } of this.#hosts.values()) child.kill('SIGKILL');
  }

  #get(name: string): Host {
    const host = this.#hosts.get(name);
    if (!host) throw new Error(`there is no host ${name}`);
    return host;
  }
}

function wait(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
