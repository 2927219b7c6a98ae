/**
 * Body: the bytes of a response, as many as were announced and not one more.
 */

/** The part of a stream that is used. */
export interface UrlBody {
  /** Takes the stream. */
  getReader(): UrlBodyReader;
  /** Says that nobody wants the rest. */
  cancel(): Promise<void>;
}

/** The part of a stream's reader that is used. */
export interface UrlBodyReader {
  /** The next bytes; `done` after the last. */
  read(): Promise<UrlChunk>;
  /** Says that nobody wants the rest. */
  cancel(): Promise<void>;
}

/** Some bytes of a stream. */
export interface UrlChunk {
  /** True after the last. */
  readonly done: boolean;
  /** The bytes, unless it is done. */
  readonly value?: Uint8Array | undefined;
}

/** The bytes that came: fewer than wanted if there were no more, and more than wanted if there were. Never all of many more. */
export async function readBody(
  response: { readonly body?: UrlBody | null | undefined; arrayBuffer(): Promise<ArrayBuffer> },
  wanted: number,
): Promise<Uint8Array> {
  const reader = response.body?.getReader?.();
  if (reader === undefined) return new Uint8Array(await response.arrayBuffer());
  const chunks: Uint8Array[] = [];
  let length = 0;
  while (length <= wanted) {
    const { done, value } = await reader.read();
    if (done || value === undefined) return join(chunks, length);
    chunks.push(value);
    length += value.length;
  }
  reader.cancel().catch(() => {}); // broken already
  return join(chunks, length);
}

function join(chunks: readonly Uint8Array[], length: number): Uint8Array {
  const bytes = new Uint8Array(length);
  let at = 0;
  for (const chunk of chunks) {
    bytes.set(chunk, at);
    at += chunk.length;
  }
  return bytes;
}
