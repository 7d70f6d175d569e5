// Jest setup provided by Grafana scaffolding
import './.config/jest-setup';
import { configure } from '@testing-library/react';

// Machines that build and test at the same time are slow; a test still fails by what it finds, not by the clock.
configure({ asyncUtilTimeout: 10_000 });
jest.setTimeout(60_000);
