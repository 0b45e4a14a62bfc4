import { type Executor, StartError } from '../../shared/executors/executor.ts';
import { SecretError, type Vault } from '../../shared/secrets/vault.ts';
import type { Switches } from './switches.ts';

/** An executor that is out of service when its switch says so, and whose host dies inside a start call when that is set. */
export function unsteadyExecutor<E extends Executor>(executor: E, switches: Switches, host: string): E {
  const start: Executor['start'] = async (spec) => {
    if (switches.isOn('platform')) throw new StartError('infrastructure', 'the platform is out of service: a test');
    const dies = switches.isOn(`start-${host}`);
    if (dies) switches.off(`start-${host}`);
    // Before anything was started, while it is being started, or when all has been done but written down.
    if (dies && Math.random() < 0.3) die();
    const starting = executor.start(spec);
    if (dies && Math.random() < 0.5) setTimeout(die, Math.random() * 20);
    const handle = await starting;
    if (dies) die();
    return handle;
  };
  const status: Executor['status'] = async (attempt) => {
    if (switches.isOn('platform')) throw new Error('the platform cannot be asked: a test');
    return executor.status(attempt);
  };
  return new Proxy(executor, {
    get(object, name) {
      if (name === 'start') return start;
      if (name === 'status') return status;
      return Reflect.get(object, name, object);
    },
  });
}

export function unsteadyVault(vault: Vault, switches: Switches): Vault {
  const check = () => {
    if (switches.isOn('vault')) throw new SecretError('unreachable', 'the vault is out of service: a test');
  };
  return {
    place: vault.place,
    async read(name) {
      check();
      return vault.read(name);
    },
    async version(name) {
      check();
      return vault.version(name);
    },
  };
}

/** As by a power cut. */
function die(): void {
  process.kill(process.pid, 'SIGKILL');
}
