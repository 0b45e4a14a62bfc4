import { defaultBudget } from '../../shared/drift/budget.ts';
import { detect } from '../../shared/drift/detect.ts';
import { judge } from '../../shared/drift/judge.ts';
import { families, series } from '../support/drift/families.ts';
import type { Choice } from './bench.ts';

/** What one look at one metric costs, over all kinds of noise and the longest sample; and whether memory stays flat. */
export async function drift({ quick }: Choice): Promise<void> {
  const took: number[] = [];
  const before = process.memoryUsage().heapUsed;
  for (const family of Object.keys(families)) {
    const { values, hint } = series(family, 'bench', quick ? 160 : 365, { at: 150, size: 1, form: 'shift' });
    const readings = values.map((value, step) => ({ step, value: value ?? 0 }));
    for (let n = 15; n <= readings.length; n++) {
      const from = performance.now();
      judge(readings.slice(0, n), { kind: hint, period: 7, alpha: 1 / 2920, seed: `${family} ${n}` });
      took.push(performance.now() - from);
    }
  }
  took.sort((a, b) => a - b);
  const at = (share: number) => (took[Math.floor(share * (took.length - 1))] ?? 0).toFixed(2);
  console.log(`  one metric, one run: p50 ${at(0.5)} ms, p99 ${at(0.99)} ms, most ${at(1)} ms (${took.length} looks)`);
  const lines = Object.keys(families).map((family) => ({ id: family, ...series(family, 'lines', 365) }));
  const from = performance.now();
  for (const line of lines) detect({ ...line, period: 7 }, defaultBudget);
  const each = (performance.now() - from) / lines.length;
  const grown = (process.memoryUsage().heapUsed - before) / 1e6;
  console.log(
    `  lamp detect: ${each.toFixed(0)} ms for a year of one metric; heap ${grown.toFixed(0)} MB more than before`,
  );
}
