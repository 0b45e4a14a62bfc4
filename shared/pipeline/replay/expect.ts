import type { Finding } from '../../drift/finding.ts';
import type { Parts } from '../../parts.ts';
import { amendReplays } from './request.ts';

/** Replays that are looked through for the one that a finding speaks of. */
const recent = 100;
/** Other answers of one example that are expected. */
const mostAnswers = 10;

/** A person calls what a finding says the new norm: the answers of its replay are expected from now on. */
export async function expectAnswers(parts: Pick<Parts, 'store'>, { job, replay, id }: Finding): Promise<void> {
  if (replay?.state !== 'moved') return;
  const found = (await parts.store.replays.list(job, recent)).find(({ run }) => run === replay.run);
  if (!found) return;
  await amendReplays(parts, job, (state) => {
    const expected = { ...state.expected };
    for (const [example, digests] of Object.entries(found.answers)) {
      const before = Object.hasOwn(expected, example) ? (expected[example] ?? []) : [];
      expected[example] = [...new Set([...digests, ...before])].slice(0, mostAnswers);
    }
    return { ...state, expected, finding: state.finding === id ? null : state.finding };
  });
}
