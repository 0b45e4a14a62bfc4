/**
 * What this process wrote last, the newest few: a guess that saves a read. It may be out of date at any time, so it is
 * good for conditional writes only, and the loser of one reads.
 */
export class LastWritten<T> {
  private readonly values = new Map<string, T>();
  private readonly most: number;
  private readonly weigh: (value: T) => number;
  private weight = 0;

  /** @param most of all that is kept, by weight @param weigh left out: each weighs 1 */
  constructor(most: number, weigh: (value: T) => number = () => 1) {
    this.most = most;
    this.weigh = weigh;
  }

  get(key: string): T | undefined {
    return this.values.get(key);
  }

  set(key: string, value: T): void {
    this.delete(key);
    this.values.set(key, value);
    this.weight += this.weigh(value);
    for (const oldest of this.values.keys()) {
      if (this.weight <= this.most) return;
      this.delete(oldest);
    }
  }

  delete(key: string): void {
    const value = this.values.get(key);
    if (value !== undefined && this.values.delete(key)) this.weight -= this.weigh(value);
  }
}
