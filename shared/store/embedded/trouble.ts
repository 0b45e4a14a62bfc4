/** The store of this machine could not do it: an outage, never an answer. */
export class StoreTrouble extends Error {
  /** `damaged` stays until a person acts; the others pass by themselves once their cause is gone. */
  readonly kind: 'busy' | 'full' | 'read-only' | 'damaged' | 'other';

  constructor(kind: StoreTrouble['kind'], message: string, cause?: unknown) {
    super(message, { cause });
    this.name = 'StoreTrouble';
    this.kind = kind;
  }
}

/** Primary result codes (sqlite.org/rescode.html): the low byte of an extended one. */
const kinds: Record<number, StoreTrouble['kind']> = {
  5: 'busy',
  6: 'busy',
  8: 'read-only',
  11: 'damaged',
  13: 'full',
  14: 'read-only',
  26: 'damaged',
};
const systemKinds: Record<string, StoreTrouble['kind']> = {
  ENOSPC: 'full',
  EDQUOT: 'full',
  EROFS: 'read-only',
  EACCES: 'read-only',
  EPERM: 'read-only',
};

const advice: Record<StoreTrouble['kind'], string> = {
  busy: 'another process holds it: look for a lamp command that hangs',
  full: 'the disk is full: make room, and work goes on by itself',
  'read-only': 'it may not be written: check the disk, its mount and the permissions; work then goes on by itself',
  damaged: 'it is damaged: stop the host, then restore a backup with lamp restore <file>',
  other: 'check the disk, whether it is there and may be written; work then goes on by itself',
};

export function isBusy(error: unknown): boolean {
  return kindOf(error) === 'busy';
}

/** The same error in words that say what to do. @param place the file */
export function storeTrouble(place: string, error: unknown): unknown {
  if (error instanceof StoreTrouble) return error;
  const kind = kindOf(error);
  if (kind === undefined) return error;
  const { message } = error as Error;
  return new StoreTrouble(kind, `the store ${place} failed (${message}): ${advice[kind]}`, error);
}

function kindOf(error: unknown): StoreTrouble['kind'] | undefined {
  const { errcode, code, syscall } = error as { errcode?: number; code?: string; syscall?: string };
  if (typeof errcode === 'number') return kinds[errcode & 0xff] ?? 'other';
  return syscall === undefined ? undefined : (systemKinds[code ?? ''] ?? 'other');
}
