/** Lets so many run at once; the others wait for their turn, in the order in which they came. Pure. */
export function createSlots(most: number): <T>(run: () => Promise<T>) => Promise<T> {
  let free = most;
  const queue: (() => void)[] = [];
  return async (run) => {
    if (free > 0) free -= 1;
    else await new Promise<void>((resolve) => void queue.push(resolve));
    try {
      return await run();
    } finally {
      // The slot goes to the next one as it is: nobody else can take it in between.
      const next = queue.shift();
      if (next === undefined) free += 1;
      else next();
    }
  };
}
