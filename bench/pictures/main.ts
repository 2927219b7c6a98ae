/**
 * `npm run pictures`: draws the pictures of the documents again. Each is drawn from a scripted run, so that nothing changes unless
 * the library does; a test says if a file is not what this would write.
 */
import { writeFile } from 'node:fs/promises';
import { pictures } from './pictures.js';

const ROOT = new URL('../../', import.meta.url);

for (const [path, text] of await pictures()) {
  await writeFile(new URL(path, ROOT), text);
  console.log(`${path}: ${text.length} characters`);
}
