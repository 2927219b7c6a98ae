import { RangeTracker } from '../lib/index.js';
import { describeContract } from './contract/contract.js';

describeContract('RangeTracker', (options) => new RangeTracker(options));
