/**
 * What a tarball is made of: nothing that does not belong there, and all that its documents lead to. Whoever has installed the
 * package can read them without any network.
 */
import { posix } from 'node:path';

/** Files that must be at the top. */
const TOP_FILES = ['package.json', 'README.md', 'LICENSE', 'CHANGELOG.md', 'CONTRIBUTING.md', 'SECURITY.md'];
/** Built, a declaration that must not be bundled, a document or picture, or an example. */
const KNOWN = [
  /^dist\/[\w-]+(\.d)?\.c?[jt]s$/,
  /^lib\/keyed\/keyv\.d\.c?ts$/,
  /^docs\/([\w-]+\/)?[\w-]+\.svg$/,
  /^docs\/[\w-]+\.md$/,
  /^examples\/[\w-]+\.mjs$/,
];

/** One line for each thing that is wrong, given the text of each file by its path. */
export function problemsOfTarball(files: ReadonlyMap<string, string>): string[] {
  const problems: string[] = [];
  for (const name of TOP_FILES) if (!files.has(name)) problems.push(`${name} is missing from the tarball`);
  for (const name of files.keys()) {
    const isKnown = TOP_FILES.includes(name) || KNOWN.some((form) => form.test(name));
    if (!isKnown) problems.push(`${name} does not belong into the tarball`);
  }
  const folders = new Set([...files.keys()].map((name) => posix.dirname(name)));
  for (const [name, text] of files) {
    if (!name.endsWith('.md')) continue;
    for (const target of linksOf(text)) {
      const path = posix.join(posix.dirname(name), target);
      if (!files.has(path) && !folders.has(path)) problems.push(`${name} links to ${target}, which is not in the tarball`);
    }
  }
  const reached = reachedFrom('README.md', files);
  for (const name of files.keys()) {
    if (name.startsWith('docs/') && !reached.has(name)) problems.push(`${name} is not reached from the README`);
  }
  return problems;
}

/** Relative links and pictures, without their fragments. */
function linksOf(text: string): string[] {
  const prose = text.replace(/^ *```.*?^ *```/gms, '');
  const targets = [...prose.matchAll(/\]\(([^()\s]+)\)/g)].map(([, target = '']) => target.replace(/#.*$/, ''));
  return targets.filter((target) => target !== '' && !/^[a-z]+:/.test(target));
}

function reachedFrom(start: string, files: ReadonlyMap<string, string>): Set<string> {
  const reached = new Set([start]);
  for (const name of reached) {
    if (!name.endsWith('.md')) continue;
    for (const target of linksOf(files.get(name) ?? '')) reached.add(posix.join(posix.dirname(name), target));
  }
  return reached;
}
