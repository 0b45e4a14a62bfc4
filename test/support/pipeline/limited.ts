import type { Job } from '../../../shared/job/job.ts';
import { World } from './parts.ts';

/** A world in memory whose attempts run until they are reported to end, with as many places. */
export async function limited(limit: number, ...jobs: Job[]): Promise<World> {
  const world = await World.inMemory(...jobs);
  Object.assign(world.parts, { limit });
  world.platform.behave = () => 'run';
  return world;
}
