/** Random numbers that a seed repeats. */
import { uniformInt } from 'pure-rand/distribution/uniformInt';
import { xoroshiro128plus } from 'pure-rand/generator/xoroshiro128plus';

export class Random {
  readonly #generator: ReturnType<typeof xoroshiro128plus>;

  /** @param stream apart from every other stream of the same seed: what one draws does not move another */
  constructor(seed: number, stream = 0) {
    this.#generator = xoroshiro128plus((seed ^ Math.imul(stream + 1, 0x9e3779b1)) | 0);
  }

  /** A whole number, both ends included. */
  int(from: number, to: number): number {
    return uniformInt(this.#generator, from, to);
  }

  /** From 0 up to 1. */
  fraction(): number {
    return this.int(0, 2 ** 24 - 1) / 2 ** 24;
  }

  chance(probability: number): boolean {
    return this.fraction() < probability;
  }

  /** @throws RangeError where there is nothing to choose from */
  pick<T>(all: readonly T[]): T {
    const found = all[this.int(0, Math.max(all.length - 1, 0))];
    if (found === undefined) throw new RangeError('There is nothing to choose from.');
    return found;
  }

  /** One of the values, each as likely as its weight says. */
  weighted<T>(all: readonly (readonly [weight: number, value: T])[]): T {
    let left = this.fraction() * all.reduce((sum, [weight]) => sum + weight, 0);
    for (const [weight, value] of all) {
      left -= weight;
      if (left < 0) return value;
    }
    return this.pick(all)[1];
  }

  shuffled<T>(all: readonly T[]): readonly T[] {
    const left = [...all];
    const taken: T[] = [];
    while (left.length > 0) taken.push(...left.splice(this.int(0, left.length - 1), 1));
    return taken;
  }

  /** A wait that is over at a random moment, `mean` on average. */
  interval(mean: number): number {
    return -Math.log(1 - this.fraction()) * mean;
  }
}
