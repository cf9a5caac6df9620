/** Lets so many run at once; the others wait for their turn, in the order in which they came. Pure. */
export function createSlots(most: number): <T>(run: (waited: boolean) => Promise<T>) => Promise<T> {
  let free = most;
  const queue: (() => void)[] = [];
  return async (run) => {
    const waits = free === 0;
    if (waits) await new Promise<void>((resolve) => void queue.push(resolve));
    else free -= 1;
    try {
      return await run(waits);
    } finally {
      // The slot goes to the next one as it is: nobody else can take it in between.
      const next = queue.shift();
      if (next === undefined) free += 1;
      else next();
    }
  };
}
