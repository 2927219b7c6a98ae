// Tiles over HTTP: an archive is replaced between the read of its directory and the read of a tile. The query runs again, so that
// no tile is cut out of a new archive by an old directory. `openUrl` notices the replacement by the server's ETag.
import { createServer } from 'node:http';
import { openUrl } from 'rangefence/bytes';

/** An archive: a directory of 16 bytes (offset and length of the one tile), padding, then the tile. */
function archive(tile, offset) {
  const bytes = Buffer.alloc(offset + tile.length);
  bytes.write(JSON.stringify([offset, tile.length]).padEnd(16));
  bytes.write(tile, offset);
  return bytes;
}

let etag = '"monday"';
let content = archive('roads of monday', 100);

const server = createServer((request, response) => {
  const [start, end] = (/\d+-\d+/.exec(request.headers.range)?.[0] ?? '0-').split('-').map(Number);
  const last = Math.min(end || Number.POSITIVE_INFINITY, content.length - 1);
  if ((request.headers['if-match'] ?? etag) !== etag) return response.writeHead(412).end();
  response.writeHead(206, { etag, 'content-range': `bytes ${start}-${last}/${content.length}` });
  response.end(content.subarray(start, last + 1));
});
await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));

// Pages as small as the directory: in real life they have 64 KiB, and an archive has thousands of them.
const source = openUrl(`http://127.0.0.1:${server.address().port}/map.tiles`, { pageSize: 16 });
const decode = (bytes) => new TextDecoder().decode(bytes);
let attempts = 0;

const tile = await source.consistent(async (view, attempt) => {
  attempts = attempt.number;
  const [offset, length] = JSON.parse(decode(await view.read(0, 16)));
  if (attempt.number === 1) {
    etag = '"tuesday"'; // somebody uploads another archive, right now
    content = archive('rivers and roads of tuesday', 200);
  }
  return decode(await view.read(offset, length));
});

console.log(tile); // => 'rivers and roads of tuesday'
console.log(attempts); // => 2

await source.close();
server.closeAllConnections();
server.close();
