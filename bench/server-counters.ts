/** The server's own counters, which nobody else can colour. */

/** One series of a counter. */
export interface Series {
  readonly name: string;
  readonly labels: string;
  readonly value: number;
}

const LINE = /^(\w+)(?:\{(.*)\})? (\S+)$/;

/** Reads Prometheus' text format: pure. */
export function readSeries(text: string): readonly Series[] {
  return text.split('\n').flatMap((line) => {
    const [, name, labels = '', value] = LINE.exec(line) ?? [];
    return name === undefined ? [] : [{ name, labels, value: Number(value) }];
  });
}

/** @param url of a Prometheus endpoint */
export async function fetchSeries(url: string): Promise<readonly Series[]> {
  return readSeries(await (await fetch(url)).text());
}

/** The sum over all series of this name whose labels hold every one of these texts. */
export function sumOf(series: readonly Series[], name: string, ...labels: readonly string[]): number {
  return series
    .filter((one) => one.name === name && labels.every((label) => one.labels.includes(label)))
    .reduce((sum, { value }) => sum + value, 0);
}
