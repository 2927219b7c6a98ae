import { QueryClient } from '@tanstack/query-core';
import { afterEach, describe, expect, it } from 'vitest';
import { FencedQueryClient } from '../../lib/query/tanstack/index.js';
import { Backend } from './support/backend.js';
import { clearClients, DEFAULTS, kept } from './support/clients.js';
import { CASES } from './support/tanstack-cases.js';

afterEach(clearClients);

describe('what is seen at the end, where the server has 2', () => {
  for (const { name, fenced, run } of CASES) {
    it(name, async ({ task }) => {
      const client = kept(new FencedQueryClient(DEFAULTS));
      expect(await run(client, new Backend())).toEqual(fenced);
      expect(client.fence.size).toBe(0);
      // A record, and no promise of anybody's: it may change with any release.
      Object.assign(task.meta, { plain: await run(kept(new QueryClient(DEFAULTS)), new Backend()) });
    });
  }
});
