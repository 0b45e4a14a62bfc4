/** How many false alerts a job may raise in a year, and over what they are spread. */
export interface Budget {
  /** False alerts a job and year. */
  falseAlerts: number;
  /** Metrics of the job that are watched. */
  metrics: number;
  /** Looks a year at each metric: its runs, at most 365. */
  looks: number;
}

export const defaultBudget: Budget = { falseAlerts: 1, metrics: 8, looks: 365 };

/** Runs before anything but the contract is judged. */
export const learning = 15;

/**
 * The chance of a false alarm that the look at the m-th run since the pin may take. Expectations add, so the metrics
 * share the budget whatever their dependence. It falls as 1/m: the first weeks, when a test is blunt, get more of it.
 * A false alarm lasts some runs and is one alert, hence 1.3 times the budget in looks (measured over 16 kinds of noise).
 */
export function alphaOf(budget: Budget, runs: number): number {
  const looks = Math.max(60, Math.min(365, budget.looks));
  const share = (1.3 * budget.falseAlerts) / Math.max(1, budget.metrics);
  const m = Math.max(learning, Math.min(runs, looks));
  return Math.min(0.003, share / Math.log((looks + 0.5) / (learning - 0.5)) / m);
}
