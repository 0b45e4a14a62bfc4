import type { OpenStore } from '../../cli/host/store.ts';
import type { Instant } from '../../shared/instant.ts';
import type { Store } from '../../shared/store/store.ts';
import type { Boxes } from './boxes.ts';
import type { Disk } from './disk.ts';
import type { Hosts } from './hosts.ts';
import type { Options } from './options.ts';
import type { Weather } from './proxy.ts';
import type { Switches } from './switches.ts';

export interface World {
  options: Options;
  folder: string;
  weather: Weather;
  /** Jobs whose rows no host can write just now. */
  poisoned: Set<string>;
  /** Not through the proxy. */
  store: Store;
  opened: OpenStore;
  marks: string;
  /** Attempts whose shim was killed: `RUN ATTEMPT`. */
  killed: Set<string>;
  /** Attempts whose job was killed, and when: it leaves no mark of its end. */
  deaths: Map<string, Instant>;
  random: () => number;
  hosts: Hosts;
  switches: Switches;
  disk: Disk;
  /** Undefined: jobs are plain processes. */
  boxes: Boxes | undefined;
  /** Lengths of what fails are this share of the usual ones: a short run has short spells. */
  pace: number;
  /** Slots that are to come are not the harness's business any more: nothing fails from now on. */
  over: boolean;
}

/** Resolves after that time, or soon after all is over. */
export async function wait(world: Pick<World, 'over'>, ms: number): Promise<void> {
  const until = performance.now() + ms;
  for (let left = ms; left > 0 && !world.over; left = until - performance.now()) {
    await new Promise((resolve) => setTimeout(resolve, Math.min(left, 500)));
  }
}
