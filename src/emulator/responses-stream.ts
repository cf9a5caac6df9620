/** The events of a response that was created with `stream`: kept, so that a listener can go on after any of them. */

type Wire = Readonly<Record<string, unknown>>;

interface Item {
  readonly id: string;
  readonly type: string;
  readonly content?: unknown;
}

export interface StreamEvent extends Wire {
  readonly type: string;
  readonly sequence_number: number;
}

export class ResponseStream {
  readonly #events: StreamEvent[] = [];
  readonly #listeners = new Set<() => void>();
  #isOver = false;

  push(type: string, fields: Wire): void {
    this.#events.push({ type, sequence_number: this.#events.length, ...fields });
    this.#wake();
  }

  end(): void {
    this.#isOver = true;
    this.#wake();
  }

  #wake(): void {
    for (const listener of this.#listeners) listener();
    this.#listeners.clear();
  }

  /** Events behind the one with this number (-1: all of them), as they come, until the end. */
  async *after(number: number, signal: AbortSignal): AsyncGenerator<StreamEvent, void, undefined> {
    for (let at = number + 1; !signal.aborted; at += 1) {
      while (at >= this.#events.length && !this.#isOver && !signal.aborted) await this.#news(signal);
      const event = this.#events[at];
      if (event === undefined) return;
      yield event;
    }
  }

  #news(signal: AbortSignal): Promise<void> {
    return new Promise((resolve) => {
      const settle = (): void => {
        this.#listeners.delete(settle);
        signal.removeEventListener('abort', settle);
        resolve();
      };
      this.#listeners.add(settle);
      signal.addEventListener('abort', settle, { once: true });
    });
  }
}

/** What an endpoint answers where it was asked for a stream. */
export class StreamedAnswer {
  readonly id: string;
  readonly stream: ResponseStream;
  readonly after: number;
  /** The response as it was when it was asked for. */
  readonly snapshot: unknown;

  constructor(id: string, stream: ResponseStream, after: number, snapshot: unknown) {
    this.id = id;
    this.stream = stream;
    this.after = after;
    this.snapshot = snapshot;
  }
}

/** A word and the blank behind it. */
const wordsOf = (text: string): readonly string[] => text.match(/\s*\S+\s*/g) ?? (text === '' ? [] : [text]);

/** What is told of a turn's messages before its end, one entry a delta. */
export function deltasOf(
  output: readonly Item[],
): readonly { readonly type: string; readonly fields: Wire }[] {
  return output.flatMap((item, output_index) => {
    if (item.type !== 'message') return [];
    const content = item.content as readonly { readonly type: string; readonly text?: string }[];
    const place = (content_index: number): Wire => ({ item_id: item.id, output_index, content_index });
    return content.flatMap((part, index) => {
      const text = part.type === 'output_text' ? (part.text ?? '') : '';
      return [
        ...wordsOf(text).map((delta) => ({
          type: 'response.output_text.delta',
          fields: { ...place(index), delta, logprobs: [] },
        })),
        {
          type: 'response.output_text.done',
          fields: { ...place(index), text, logprobs: [] },
        },
      ];
    });
  });
}
