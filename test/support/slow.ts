import { jest } from '@jest/globals';

/** Real daemons start, databases elect a leader, packets cross namespaces: 5 s are too short on a busy machine. */
jest.setTimeout(120_000);
