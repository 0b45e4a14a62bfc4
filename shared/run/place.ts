import type { Job } from '../job/job.ts';
import type { Run } from './run.ts';

const tiers: readonly Job['tier'][] = ['critical', 'standard', 'low-risk'];

const lowest = '9';

/** Whether a place in line is that of a replay: it leaves one place free for what is expected. */
export function isLowest(order: string): boolean {
  return order.startsWith(lowest);
}

/**
 * What decides who gets the next place, as a text that sorts: critical tiers first, in a tier backfills last, then the
 * oldest slot; replays after all.
 */
export function placeOrder({ tier }: Pick<Job, 'tier'>, { trigger, slot }: Pick<Run, 'trigger' | 'slot'>): string {
  // Behind all tiers.
  if (trigger === 'replay') return `${lowest}${String(Math.max(slot, 0)).padStart(14, '0')}`;
  const patient = trigger === 'backfill' ? 1 : 0;
  return `${tiers.indexOf(tier)}${patient}${String(Math.max(slot, 0)).padStart(14, '0')}`;
}
