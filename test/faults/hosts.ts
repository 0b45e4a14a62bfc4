import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, openSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { HostSettings } from './host.ts';

interface Host {
  settings: HostSettings;
  process: ChildProcess;
}

/** The hosts of one harness run: started, killed, held and reported a wrong time. */
export class Hosts {
  readonly #hosts = new Map<string, Host>();
  readonly #folder: string;
  readonly #env: NodeJS.ProcessEnv;
  #over = false;

  constructor(folder: string, env: NodeJS.ProcessEnv) {
    this.#folder = folder;
    this.#env = env;
  }

  get names(): string[] {
    return [...this.#hosts.keys()];
  }

  add(settings: Omit<HostSettings, 'clock'>): void {
    const clock = join(this.#folder, `clock-${settings.name}`);
    writeFileSync(clock, '0');
    const whole = { ...settings, clock };
    this.#hosts.set(settings.name, { settings: whole, process: this.#start(whole) });
  }

  /** Dies at once, and is started again after a while. */
  async crash(name: string, awayMs: number): Promise<void> {
    this.#get(name).process.kill('SIGKILL');
    await sleep(awayMs);
    this.#revive(name);
  }

  /** Asked to end, killed after ten seconds as a platform does, and started again. */
  async restart(name: string): Promise<void> {
    const { process: old } = this.#get(name);
    old.kill('SIGTERM');
    await this.#ended(old, 10_000);
    old.kill('SIGKILL');
    await this.#ended(old, 5_000);
    this.#revive(name);
  }

  /** Started again after it has died by itself; at the latest after `patienceMs` that is waited for no more. */
  async afterDeath(name: string, patienceMs: number, awayMs: number): Promise<void> {
    await this.#ended(this.#get(name).process, patienceMs);
    await sleep(awayMs);
    this.#revive(name);
  }

  /** From now on it has another package: at once, as a deployment kills it. */
  async deploy(name: string, home: string, made: number): Promise<void> {
    const host = this.#get(name);
    host.settings = { ...host.settings, home, made };
    await this.crash(name, 100);
  }

  /** Is held for a while and goes on, believing that no time has passed. */
  async hold(name: string, ms: number): Promise<void> {
    const { process: held } = this.#get(name);
    held.kill('SIGSTOP');
    await sleep(ms);
    held.kill('SIGCONT');
  }

  async misdate(name: string, byMs: number, forMs: number): Promise<void> {
    const { clock } = this.#get(name).settings;
    writeFileSync(clock, String(byMs));
    await sleep(forMs);
    writeFileSync(clock, '0');
  }

  /** All of them run, with the right time. */
  fix(): void {
    for (const [name, host] of this.#hosts) {
      writeFileSync(host.settings.clock, '0');
      host.process.kill('SIGCONT');
      this.#revive(name);
    }
  }

  kill(): void {
    this.#over = true;
    for (const { process: child } of this.#hosts.values()) child.kill('SIGKILL');
  }

  #start(settings: HostSettings): ChildProcess {
    const log = openSync(join(this.#folder, `host-${settings.name}.log`), 'a');
    const program = join(import.meta.dirname, 'host.ts');
    const env = { ...process.env, ...this.#env };
    const child = spawn(process.execPath, [program, JSON.stringify(settings)], { stdio: ['ignore', log, log], env });
    closeSync(log);
    return child;
  }

  #revive(name: string): void {
    const host = this.#get(name);
    const gone = host.process.signalCode !== null || host.process.exitCode !== null;
    if (gone && !this.#over) host.process = this.#start(host.settings);
  }

  async #ended(child: ChildProcess, patienceMs: number): Promise<void> {
    if (child.signalCode !== null || child.exitCode !== null) return;
    const patience = new AbortController();
    await Promise.race([once(child, 'exit'), sleep(patienceMs, undefined, { signal: patience.signal })]);
    patience.abort();
  }

  #get(name: string): Host {
    const host = this.#hosts.get(name);
    if (!host) throw new Error(`there is no host ${name}`);
    return host;
  }
}
