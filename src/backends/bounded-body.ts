/** Keeps an answer that never ends out of memory. */

/** More than any answer of a provider: a run's outputs are bounded far below. In bytes. */
export const MAX_BODY_BYTES = 64 * 1024 * 1024;

class BodyTooLargeError extends Error {
  override readonly name = 'BodyTooLargeError';
}

const tooLarge = (): BodyTooLargeError => new BodyTooLargeError('The body is too large.');

/** True for the error of {@link boundBody}, also where a client has wrapped it. */
export function isBodyTooLarge(error: unknown): boolean {
  for (let at = error, hops = 0; at instanceof Error && hops < 5; at = at.cause, hops += 1) {
    if (at instanceof BodyTooLargeError) return true;
  }
  return false;
}

/**
 * The same answer, whose body fails once it is over the limit. One that says its length is believed: the connection
 * ends there.
 *
 * @throws an error that {@link isBodyTooLarge} knows, at once where the length that it says is over the limit
 */
export function boundBody(response: Response, limit: number = MAX_BODY_BYTES): Response {
  const said = Number(response.headers.get('content-length') ?? Number.NaN);
  const encoded = response.headers.has('content-encoding');
  if (said > limit) {
    void response.body?.cancel();
    throw tooLarge();
  }
  if (response.body === null || (said >= 0 && !encoded)) return response;
  let bytes = 0;
  const counter = new TransformStream<Uint8Array, Uint8Array>({
    transform(chunk, controller) {
      bytes += chunk.byteLength;
      if (bytes > limit) controller.error(tooLarge());
      else controller.enqueue(chunk);
    },
  });
  const { status, statusText, headers } = response;
  return new Response(response.body.pipeThrough(counter), { status, statusText, headers });
}
