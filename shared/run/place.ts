import type { Job } from '../job/job.ts';
import type { Run } from './run.ts';

const tiers: readonly Job['tier'][] = ['critical', 'standard', 'low-risk'];

/**
 * What decides who gets the next place, as a text that sorts: critical tiers first, in a tier backfills last, then the
 * oldest slot.
 */
export function placeOrder({ tier }: Pick<Job, 'tier'>, { trigger, slot }: Pick<Run, 'trigger' | 'slot'>): string {
  const patient = trigger === 'backfill' ? 1 : 0;
  return `${tiers.indexOf(tier)}${patient}${String(Math.max(slot, 0)).padStart(14, '0')}`;
}
