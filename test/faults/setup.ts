/**
 * Before the tests of each fault: fast-check does not make a counter-example smaller, which takes longer than to find it, and
 * which nobody reads here.
 */
import fc from 'fast-check';

fc.configureGlobal({ ...fc.readConfigureGlobal(), endOnFailure: true });
