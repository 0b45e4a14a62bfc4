import { troubleText } from '../shared/events.ts';
import type { Store } from '../shared/store/store.ts';

/** The store is not as it must be, and only a person can change that. */
export class StoreNotReady extends Error {
  constructor(message: string, cause: unknown) {
    super(message, { cause });
    this.name = 'StoreNotReady';
  }
}

/**
 * Makes tables, queues and containers when the store has none: on a developer's machine (`func start` on a fresh
 * Azurite), and in Azure when someone has emptied the account. A store that lacks some is not repaired in silence: what
 * was in them is gone, and a person must know. An outage is no answer, and left to the work that follows.
 * @param development under `func start`: what a new version adds is made there as well
 * @throws StoreNotReady, with the command that helps
 */
export async function ready(store: Pick<Store, 'marks' | 'time' | 'prepare'>, development: boolean): Promise<void> {
  if (development) {
    await store.prepare().catch((error: unknown) => {
      throw new StoreNotReady(
        `The store cannot be made ready: ${troubleText(error)}. Is it running? npx azurite`,
        error,
      );
    });
    return;
  }
  const lacks = await Promise.all([
    missing('the table service', () => store.marks.get('heartbeat')),
    missing('the container runs', () => store.time()),
  ]);
  const gone = lacks.filter((one) => one !== undefined);
  if (gone.length === 0) return;
  if (gone.length < lacks.length) {
    const text = `${gone.map(({ what }) => what).join(', ')} is missing from a store that is not empty`;
    throw new StoreNotReady(
      `${text}: was it deleted? lamp deploy --from jobs makes it again, without what was in it`,
      gone[0]?.error,
    );
  }
  await store.prepare().catch((error: unknown) => {
    const text = `The store is empty, and this app may not make its tables: ${troubleText(error)}`;
    throw new StoreNotReady(`${text}. Run: lamp deploy --from jobs`, error);
  });
}

const absent = new Set(['TableNotFound', 'ContainerNotFound']);

async function missing(
  what: string,
  look: () => Promise<unknown>,
): Promise<{ what: string; error: unknown } | undefined> {
  try {
    await look();
    return undefined;
  } catch (error) {
    return absent.has(codeOf(error)) ? { what, error } : undefined;
  }
}

/** Tables have the code in the body of the answer, which the SDK keeps in `details`. */
function codeOf(error: unknown): string {
  const { code, details } = error as {
    code?: unknown;
    details?: { errorCode?: unknown; odataError?: { code?: unknown } };
  };
  const codes = [code, details?.errorCode, details?.odataError?.code];
  return String(codes.find((one) => absent.has(String(one))) ?? '');
}
