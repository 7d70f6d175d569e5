import fc from 'fast-check';

/**
 * Properties are tried with the same values in every run: a change is judged by what it changed. To look for new
 * counterexamples: `UMBEL_TEST_SEED=random npm test`, or a number to see one again.
 */
const wanted = process.env['UMBEL_TEST_SEED'] ?? '1';
if (wanted !== 'random') fc.configureGlobal({ ...fc.readConfigureGlobal(), seed: Number(wanted) });
