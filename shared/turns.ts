/** Lets work on one thing be done one after the other, in the order in which it is asked for. Other things do not wait. */
export class Turns {
  private readonly last = new Map<string, Promise<unknown>>();

  /** @param thing what it works on @returns what the work does; a failure is that of this work alone */
  take<T>(thing: string, work: () => Promise<T>): Promise<T> {
    const mine = (this.last.get(thing) ?? Promise.resolve()).then(work, work);
    const end = mine.catch(() => {});
    this.last.set(thing, end);
    void end.then(() => {
      if (this.last.get(thing) === end) this.last.delete(thing);
    });
    return mine;
  }

  /** How many things are worked on. */
  get size(): number {
    return this.last.size;
  }
}
