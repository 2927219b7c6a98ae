/**
 * What the adapters return is what the packages take, by the packages' own types; checked by the compiler alone.
 */
import type { Source as ChunkdSourceType } from '@chunkd/source';
import { type BaseClient, fromCustomClient, GeoTIFF } from 'geotiff';
import type { AsyncBuffer } from 'hyparquet';
import { EtagMismatch, PMTiles, type Source as PmtilesSourceType, type RangeResponse } from 'pmtiles';
import { describe, expectTypeOf, it } from 'vitest';
import type { AsyncReadable } from 'zarrita';
import * as zarr from 'zarrita';
import type {
  ByteReader,
  ByteSource,
  ChunkdSource,
  GeotiffClient,
  GeotiffSource,
  HyparquetBuffer,
  PmtilesResponse,
  PmtilesSource,
  ZarritaStore,
} from '../../lib/bytes/index.js';
import { geotiffClient, geotiffSource, perVersion, pmtilesSource, zarritaStore } from '../../lib/bytes/index.js';

declare const reader: ByteReader;
declare const source: ByteSource;
declare const options: { readonly key: string };

describe('adapters', () => {
  it('are what the packages take', () => {
    expectTypeOf<HyparquetBuffer>().toExtend<AsyncBuffer>();
    expectTypeOf<PmtilesSource>().toExtend<PmtilesSourceType>();
    expectTypeOf<PmtilesResponse>().toExtend<RangeResponse>();
    expectTypeOf<ZarritaStore>().toExtend<AsyncReadable>();
    expectTypeOf<ZarritaStore>().toExtend<Required<AsyncReadable>>();
    expectTypeOf<GeotiffSource>().toExtend<GeoTIFF['source']>();
    expectTypeOf<GeotiffClient>().toExtend<BaseClient>();
    expectTypeOf<ChunkdSource>().toExtend<ChunkdSourceType>();
  });

  it('are handed over as they are', () => {
    expectTypeOf(new PMTiles(pmtilesSource(reader, { ...options, EtagMismatch }))).toEqualTypeOf<PMTiles>();
    expectTypeOf(GeoTIFF.fromSource(geotiffSource(reader))).resolves.toEqualTypeOf<GeoTIFF>();
    expectTypeOf(fromCustomClient(geotiffClient(reader))).resolves.toEqualTypeOf<GeoTIFF>();
    expectTypeOf(zarr.root(zarritaStore(new Map()))).toEqualTypeOf<zarr.Location<ZarritaStore>>();
    expectTypeOf(zarr.open(zarritaStore(new Map()), { kind: 'array' })).resolves.toExtend<zarr.Array<zarr.DataType>>();
  });

  it('name the object of a version by its own type', () => {
    const image = perVersion(source, (bytes) => GeoTIFF.fromSource(geotiffSource(bytes)));
    expectTypeOf(image((tiff) => tiff.getImageCount())).resolves.toEqualTypeOf<number>();
  });

  it('refuse what is not theirs', () => {
    // @ts-expect-error: the view of a query is of one version already
    perVersion(reader, () => 0);
    // @ts-expect-error: a key is needed
    pmtilesSource(reader, {});
    // @ts-expect-error: not a reader
    geotiffSource({ read: 1 });
  });
});
