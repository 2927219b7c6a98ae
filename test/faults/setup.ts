/**
 * Before the tests of each fault. fast-check does not make a counter-example smaller, which takes longer than to find it, and which
 * nobody reads here. And it draws the same each time: a fault that was noticed once is noticed again.
 */
import fc from 'fast-check';

fc.configureGlobal({ ...fc.readConfigureGlobal(), endOnFailure: true, seed: 2018 });
