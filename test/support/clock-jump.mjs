/**
 * `node --import` this into a program: its wall clock is ahead by as many ms as the file CLOCK_JUMP_FILE says, looked at every
 * 50 ms. Timers go on as they do when a real clock is set.
 */
import { readFileSync } from 'node:fs';

const real = Date.now.bind(Date);
let aheadMs = 0;
Date.now = () => real() + aheadMs;
setInterval(() => {
  try {
    aheadMs = Number(readFileSync(process.env.CLOCK_JUMP_FILE ?? '', 'utf8')) || 0;
  } catch {
    aheadMs = 0;
  }
}, 50).unref();
