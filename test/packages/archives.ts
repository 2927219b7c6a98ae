/**
 * Archives: small files of each format, in versions. Every value in a file of version v is v or says v, and the pieces of a file
 * lie in another order in the next version, so that whatever is put together from two versions shows: by its values, by values
 * that belong elsewhere, or by not parsing at all.
 */
import { parquetWriteBuffer } from 'hyparquet-writer';
import { zxyToTileId } from 'pmtiles';

/** The bytes of one version. */
export type Archive = (version: number) => Uint8Array;

/** Rows of {@link parquetFile}. */
export const ROWS = 4000;
const ROWS_PER_GROUP = 500;

/**
 * A Parquet file of two columns, in row groups. The versions are of one length and one layout, so that metadata of one fits the
 * pages of the other, and nothing but the values shows it.
 */
export function parquetOf(rows: number, rowGroupSize: number): Archive {
  return (version) => {
    const text = Array.from({ length: rows }, (_, row) => `${String(version).padStart(6, '0')}:${String(row).padStart(6, '0')}`);
    const columnData = [
      { name: 'version', data: new Int32Array(rows).fill(version), type: 'INT32' as const },
      { name: 'text', data: text, type: 'STRING' as const },
    ];
    return new Uint8Array(parquetWriteBuffer({ columnData, rowGroupSize, codec: 'UNCOMPRESSED', statistics: false }));
  };
}

/** Eight row groups, 68 KiB. */
export const parquetFile: Archive = parquetOf(ROWS, ROWS_PER_GROUP);

/** The versions that the rows of one query are of; more than one is a mix. */
export function versionsOf(rows: readonly Record<string, unknown>[]): Set<number> {
  const versions = new Set<number>();
  for (const { version, text } of rows) versions.add(Number(version)).add(Number(String(text).slice(0, 6)));
  return versions;
}

/** Zoom level of the tiles: 16 of them. */
export const ZOOM = 2;
const TILES = 16;
const TILE_LENGTH = 3000;
const HEADER_LENGTH = 127;
/** Behind what pmtiles reads first, so that leaves and tiles are read by reads of their own. */
const LEAVES_AT = 20_000;

/** What tile (x, y) holds in this version. */
export function tileText(version: number, x: number, y: number): string {
  return `v${version} ${ZOOM}/${x}/${y}`.padEnd(TILE_LENGTH, '.');
}

/** A PMTiles archive of 16 tiles under two leaf directories; tiles are stored from another one on in each version. */
export const pmtilesFile: Archive = (version) => {
  const coordinates = Array.from({ length: TILES }, (_, i) => ({ x: i % 4, y: Math.floor(i / 4) }));
  const tiles = coordinates
    .map(({ x, y }) => ({ id: zxyToTileId(ZOOM, x, y), text: tileText(version, x, y) }))
    .sort((a, b) => a.id - b.id)
    .map((tile, i) => ({ ...tile, offset: ((i + version) % TILES) * TILE_LENGTH, length: TILE_LENGTH, runLength: 1 }));
  const leaves = [tiles.slice(0, TILES / 2), tiles.slice(TILES / 2)].map(directory);
  const metadata = new TextEncoder().encode(JSON.stringify({ name: `v${version}` }));
  const root = directory([
    { id: tiles[0]!.id, offset: 0, length: leaves[0]!.length, runLength: 0 },
    { id: tiles[TILES / 2]!.id, offset: leaves[0]!.length, length: leaves[1]!.length, runLength: 0 },
  ]);
  const tilesAt = LEAVES_AT + leaves[0]!.length + leaves[1]!.length;
  const file = new Uint8Array(tilesAt + TILES * TILE_LENGTH);
  file.set(header({ root: root.length, metadata: metadata.length, leaves: tilesAt - LEAVES_AT, tilesAt }));
  file.set(root, HEADER_LENGTH);
  file.set(metadata, HEADER_LENGTH + root.length);
  file.set(leaves[0]!, LEAVES_AT);
  file.set(leaves[1]!, LEAVES_AT + leaves[0]!.length);
  for (const { text, offset } of tiles) file.set(new TextEncoder().encode(text), tilesAt + offset);
  return file;
};

function header(lengths: { root: number; metadata: number; leaves: number; tilesAt: number }): Uint8Array {
  const bytes = new Uint8Array(HEADER_LENGTH);
  bytes.set(new TextEncoder().encode('PMTiles'));
  bytes[7] = 3;
  const view = new DataView(bytes.buffer);
  const { root, metadata, leaves, tilesAt } = lengths;
  const offsets = [HEADER_LENGTH, root, HEADER_LENGTH + root, metadata, LEAVES_AT, leaves, tilesAt, TILES * TILE_LENGTH];
  const numbers = [...offsets, TILES, TILES, TILES];
  numbers.forEach((value, i) => {
    view.setBigUint64(8 + i * 8, BigInt(value), true);
  });
  const [clustered, uncompressed, unknown] = [0, 1, 0];
  bytes.set([clustered, uncompressed, uncompressed, unknown, ZOOM, ZOOM], 96);
  return bytes;
}

interface Entry {
  readonly id: number;
  readonly offset: number;
  readonly length: number;
  readonly runLength: number;
}

function directory(entries: readonly Entry[]): Uint8Array {
  const ids = entries.map(({ id }, i) => id - (entries[i - 1]?.id ?? 0));
  const offsets = entries.map(({ offset }) => offset + 1);
  const columns = [ids, entries.map((entry) => entry.runLength), entries.map((entry) => entry.length), offsets];
  return Uint8Array.from([entries.length, ...columns.flat()].flatMap(varint));
}

function varint(value: number): number[] {
  return value < 128 ? [value] : [(value % 128) + 128, ...varint(Math.floor(value / 128))];
}

/** Inner chunks of the Zarr array, and values in each of them. */
export const CHUNKS = 8;
/** Values in an inner chunk. */
export const CHUNK_VALUES = 1000;

/** `zarr.json` of a one-dimensional array of int32: in one shard, or in a file for each chunk. */
export function zarrMetadata(sharded: boolean): Uint8Array {
  const littleEndian = { name: 'bytes', configuration: { endian: 'little' } };
  const sharding = {
    name: 'sharding_indexed',
    configuration: { chunk_shape: [CHUNK_VALUES], codecs: [littleEndian], index_codecs: [littleEndian], index_location: 'end' },
  };
  const metadata = {
    zarr_format: 3,
    node_type: 'array',
    shape: [CHUNKS * CHUNK_VALUES],
    data_type: 'int32',
    chunk_grid: { name: 'regular', configuration: { chunk_shape: [sharded ? CHUNKS * CHUNK_VALUES : CHUNK_VALUES] } },
    chunk_key_encoding: { name: 'default', configuration: { separator: '/' } },
    fill_value: 0,
    codecs: [sharded ? sharding : littleEndian],
    attributes: {},
  };
  return new TextEncoder().encode(JSON.stringify(metadata));
}

/** The value at `index` in this version. */
export function zarrValue(version: number, index: number): number {
  return version * 1_000_000 + index;
}

/** One chunk in a file of its own. */
export function zarrChunk(version: number, chunk: number): Uint8Array {
  const values = Int32Array.from({ length: CHUNK_VALUES }, (_, i) => zarrValue(version, chunk * CHUNK_VALUES + i));
  return new Uint8Array(values.buffer);
}

/** All chunks in one file with an index at its end, from another chunk on in each version. */
export const zarrShard: Archive = (version) => {
  const length = CHUNK_VALUES * 4;
  const file = new Uint8Array(CHUNKS * length + CHUNKS * 16);
  const index = new DataView(file.buffer, CHUNKS * length);
  for (let chunk = 0; chunk < CHUNKS; chunk++) {
    const offset = ((chunk + version) % CHUNKS) * length;
    file.set(zarrChunk(version, chunk), offset);
    index.setBigUint64(chunk * 16, BigInt(offset), true);
    index.setBigUint64(chunk * 16 + 8, BigInt(length), true);
  }
  return file;
};

/** Height and width of the image, a strip for each row. */
export const PIXELS = 64;

/** The value of the pixel in this version. */
export function pixel(version: number, x: number, y: number): number {
  return (version * 4096 + y * PIXELS + x) % 65_536;
}

/**
 * An uncompressed greyscale TIFF of 16 bits, with as many strips as rows, stored from another one on in each version. By hand, as
 * geotiff's own writer knows one strip only.
 */
export const tiffFile: Archive = (version) => {
  const stripLength = PIXELS * 2;
  const stripsAt = 2048;
  const lengthsAt = stripsAt + PIXELS * stripLength;
  const offsetsAt = lengthsAt + PIXELS * 4;
  const file = new Uint8Array(offsetsAt + PIXELS * 4);
  const view = new DataView(file.buffer);
  file.set([0x49, 0x49, 42, 0, 8, 0, 0, 0]);
  const [short, long] = [3, 4];
  const tags: readonly (readonly [tag: number, type: number, count: number, value: number])[] = [
    [256, long, 1, PIXELS],
    [257, long, 1, PIXELS],
    [258, short, 1, 16],
    [259, short, 1, 1],
    [262, short, 1, 1],
    [273, long, PIXELS, offsetsAt],
    [277, short, 1, 1],
    [278, long, 1, 1],
    [279, long, PIXELS, lengthsAt],
  ];
  view.setUint16(8, tags.length, true);
  tags.forEach(([tag, type, count, value], i) => {
    view.setUint16(10 + i * 12, tag, true);
    view.setUint16(12 + i * 12, type, true);
    view.setUint32(14 + i * 12, count, true);
    view.setUint32(18 + i * 12, value, true);
  });
  for (let y = 0; y < PIXELS; y++) {
    const offset = stripsAt + ((y + version) % PIXELS) * stripLength;
    view.setUint32(offsetsAt + y * 4, offset, true);
    view.setUint32(lengthsAt + y * 4, stripLength, true);
    for (let x = 0; x < PIXELS; x++) view.setUint16(offset + x * 2, pixel(version, x, y), true);
  }
  return file;
};
