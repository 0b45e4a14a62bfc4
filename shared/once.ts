/**
 * Does something the first time it is asked for, and gives everybody that. A failure is not kept: the one that asks next makes
 * it try again, with what they bring.
 */
export function once<Given extends unknown[], T>(
  make: (...given: Given) => Promise<T>,
): (...given: Given) => Promise<T> {
  let made: Promise<T> | undefined;
  return (...given) => {
    if (made) return made;
    const mine = make(...given);
    made = mine;
    mine.catch(() => {
      if (made === mine) made = undefined;
    });
    return mine;
  };
}
