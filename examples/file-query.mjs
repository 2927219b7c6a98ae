// A query over a file of records that somebody replaces in the middle of it. The query reads the footer, then two columns; it gets
// all three from one version of the file. With hyparquet, put `await hyparquetBuffer(view)` where this reads by hand.
import { mkdtemp, rename, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { openFile } from 'rangefence/bytes';

/** Columns one after the other, then a footer of 64 bytes that says where each begins and ends. */
function table(columns) {
  const places = {};
  let body = '';
  for (const [name, values] of Object.entries(columns)) {
    const text = JSON.stringify(values);
    places[name] = [body.length, text.length];
    body += text;
  }
  return body + JSON.stringify(places).padEnd(64);
}

const folder = await mkdtemp(join(tmpdir(), 'records-'));
const path = join(folder, 'table');
await writeFile(path, table({ city: ['Oslo', 'Lima'], people: [717, 10_092] }));

async function replace(columns) {
  await writeFile(`${path}.new`, table(columns));
  await rename(`${path}.new`, path); // by whomever: nobody is told
}

const file = openFile(path);
const parse = (bytes) => JSON.parse(new TextDecoder().decode(bytes));

const rows = await file.consistent(
  async (view, attempt) => {
    const size = await view.size();
    const { city, people } = parse(await view.read(size - 64, 64));
    if (attempt.number === 1) await replace({ city: ['Quito', 'Bern', 'Suva'], people: [2011, 134, 93] });
    const names = parse(await view.read(...city));
    const counts = parse(await view.read(...people));
    return names.map((name, row) => `${name} ${counts[row]}`);
  },
  { revalidate: true }, // asks at the end, too, whether the file is still the same
);

console.log(rows); // => ['Quito 2011', 'Bern 134', 'Suva 93']

await file.close();
await rm(folder, { recursive: true });
