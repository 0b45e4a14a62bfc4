import { defaultBudget } from '../drift/budget.ts';
import type { Setting } from '../drift/state.ts';
import { hour, type Instant } from '../instant.ts';
import type { Job, Sensitivity } from '../job/job.ts';
import { nextSlots } from '../schedule/schedule.ts';

/** False alerts by sensitivity, in those of a normal metric. */
const budgetOf: Record<Sensitivity, number> = { off: 0, low: 0.3, normal: 1, high: 3 };

/** How a metric of a job is judged: its share of the budget, its days, and what its owner declared. */
export function settingOf(job: Job | undefined, metric: string, metrics: number, slot: Instant): Setting {
  const declared = Object.hasOwn(job?.metrics ?? {}, metric) ? job?.metrics[metric] : undefined;
  const falseAlerts = defaultBudget.falseAlerts * budgetOf[declared?.drift ?? 'normal'];
  return {
    timeZone: timeZoneOf(job),
    fast: (job?.schedules ?? []).some(({ schedule }) => {
      const [next, after] = nextSlots(schedule, slot, 2);
      return next !== undefined && after !== undefined && after - next < 20 * hour;
    }),
    budget: { ...defaultBudget, falseAlerts, metrics },
    direction: declared?.direction,
  };
}

export function timeZoneOf(job: Job | undefined): string {
  return job?.schedules[0]?.schedule.timeZone ?? 'UTC';
}
