import { describePlugin } from './scenes.testkit.ts';

describePlugin(18);
