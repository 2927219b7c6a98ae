import { describe, it } from 'vitest';
import { RangeTracker } from '../../lib/index.js';
import { describeContract } from '../../lib/testing/contract/index.js';

describeContract({ name: 'RangeTracker', make: (options) => new RangeTracker(options), describe, it });
